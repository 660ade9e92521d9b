//! The parts of an address, and which of them cannot be told apart for certain.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use crate::address::Host;
use crate::error::AddressError;

/// The schemes of an address.
const SCHEMES: [&str; 2] = ["postgres", "postgresql"];

/// The parts of an address as written.
pub(crate) struct Parts<'a> {
    /// Before the last `@`.
    pub(crate) login: Option<&'a str>,
    /// After it, up to the first `/` or `?`.
    pub(crate) host: &'a str,
    /// After the first `/`.
    pub(crate) path: &'a str,
    /// After the first `?`.
    pub(crate) query: &'a str,
}

impl<'a> Parts<'a> {
    /// Cuts an address up.
    ///
    /// A password with a raw `/`, `?` or `#` ends the first part too early. The `@` behind the password
    /// is then in a later part, where an address has none.
    pub(crate) fn of(text: &'a str) -> Result<Self, AddressError> {
        // A file or a variable often ends with a line break.
        let (scheme, rest) = text.trim().split_once("://").ok_or(AddressError::Scheme)?;
        if !SCHEMES
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return Err(AddressError::Scheme);
        }
        if rest.contains(char::is_control) {
            return Err(AddressError::Control);
        }
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        if tail.contains('@') {
            return Err(AddressError::At);
        }
        if tail.contains('#') {
            return Err(AddressError::Fragment);
        }
        let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        Ok(Self {
            login,
            host,
            path: path.strip_prefix('/').unwrap_or(path),
            query,
        })
    }
}

/// The host and the port of `host:port`.
pub(crate) fn host_and_port(text: &str) -> Result<(Option<Host>, Option<u16>), AddressError> {
    if text.contains(',') {
        return Err(AddressError::Several);
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (address, port) = rest.split_once(']').ok_or(AddressError::Host)?;
            if !is_ipv6(&decoded(address)?) {
                return Err(AddressError::Host);
            }
            (
                address,
                port.strip_prefix(':').or(port.is_empty().then_some("")),
            )
        }
        None => match text.split_once(':') {
            // The rest of an address with several `:` is a port that none can be.
            Some((host, port)) => (host, Some(port)),
            None => (text, Some("")),
        },
    };
    let port = port.ok_or(AddressError::Host)?;
    Ok((named(&decoded(host)?)?, numbered(port)?))
}

/// A host as it is meant: nothing, a folder, a name or an IP address.
pub(crate) fn named(text: &str) -> Result<Option<Host>, AddressError> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with('/') {
        return Ok(Some(Host::Socket(PathBuf::from(text))));
    }
    if text.contains(',') {
        return Err(AddressError::Several);
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let legal = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    if bare.chars().all(legal) || is_ipv6(bare) {
        Ok(Some(Host::Name(bare.to_owned())))
    } else {
        Err(AddressError::Host)
    }
}

/// Whether this is an IPv6 address, maybe with a zone: `fe80::1%eth0`.
fn is_ipv6(text: &str) -> bool {
    let (address, zone) = text.split_once('%').unwrap_or((text, "0"));
    let is_name = |zone: &str| {
        zone.chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '.')
    };
    address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && is_name(zone)
}

/// Whether this is an IP address.
pub(crate) fn is_ip(text: &str) -> bool {
    text.parse::<Ipv4Addr>().is_ok() || is_ipv6(text)
}

/// A port as it is meant; empty is none.
pub(crate) fn numbered(text: &str) -> Result<Option<u16>, AddressError> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.contains(',') {
        return Err(AddressError::Several);
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port > 0 => Ok(Some(port)),
        _ => Err(AddressError::Port),
    }
}

/// A part of an address without its percent-encoding.
pub(crate) fn decoded(text: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let (high, low) = (hex(rest.next())?, hex(rest.next())?);
                high << 4 | low
            }
            byte => byte,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| AddressError::Percent)?;
    // PostgreSQL's texts hold no NUL.
    if text.contains('\0') {
        return Err(AddressError::Percent);
    }
    Ok(text)
}

/// The value of a hexadecimal digit.
fn hex(byte: Option<u8>) -> Result<u8, AddressError> {
    let digit = byte.and_then(|byte| char::from(byte).to_digit(16));
    digit
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(AddressError::Percent)
}
