//! A certificate that is for other hosts, and the mistakes that it may come of.

use std::net::IpAddr;

use rustls::pki_types::ServerName;
use url::Host;

use crate::redact::printable;
use crate::tls::CertificateSeen;

/// The most names of a certificate that are shown.
const MAX_NAMES: usize = 3;
/// A name in a certificate is shown so long, in characters.
const NAME_CHARS: usize = 64;

/// The certificate is for others.
pub(super) fn explain(seen: Option<&CertificateSeen>, expected: &ServerName<'_>) -> String {
    let expected = printable(&*expected.to_str(), NAME_CHARS);
    let names = seen.map(|seen| seen.names.as_slice()).unwrap_or_default();
    if names.is_empty() {
        return unnamed(seen, &expected);
    }
    let mistake = names.iter().find_map(|name| mistake(name, &expected));
    if let Some(mistake) = mistake {
        return mistake;
    }
    let shown = names.iter().take(MAX_NAMES);
    let shown: Vec<_> = shown.map(|name| printable(name, NAME_CHARS)).collect();
    let more = if names.len() > MAX_NAMES { ", …" } else { "" };
    let shown = shown.join(", ");
    format!("the certificate is for {shown}{more}, not {expected}")
}

/// The certificate names no host where it should.
fn unnamed(seen: Option<&CertificateSeen>, expected: &str) -> String {
    let subject = seen.map(|seen| printable(&seen.subject, NAME_CHARS));
    let subject = subject.filter(|subject| !subject.is_empty());
    let subject = subject.map(|subject| {
        format!("; its subject ({subject}) does not count, a new one must name {expected}")
    });
    format!(
        "the certificate names no host (as subjectAltName), so not {expected}{}",
        subject.unwrap_or_default()
    )
}

/// What is wrong with a name that was meant to be the expected one.
fn mistake(name: &str, expected: &str) -> Option<String> {
    let shown = printable(name, NAME_CHARS);
    if name == expected && expected.parse::<IpAddr>().is_ok() {
        return Some(format!(
            "the certificate has the address {expected} as a DNS name; an address must stand in it as one of IP"
        ));
    }
    if name.strip_suffix('.') == Some(expected) {
        return Some(format!(
            "the certificate is for {shown}, with a dot at the end, where no name may have one"
        ));
    }
    if !name.is_ascii() {
        let ascii = Host::parse(name).ok()?;
        return (ascii.to_string() == expected).then(|| {
            format!("the certificate is for {shown}; it must name it in ASCII, as {expected}")
        });
    }
    let (star, domain) = name.split_once('.')?;
    let inside = expected.strip_suffix(domain)?;
    if star == "*" && inside.is_empty() {
        return Some(format!(
            "the certificate is for {shown}, not {expected}; a wildcard stands for one label, not for none"
        ));
    }
    let labels = inside.strip_suffix('.')?;
    if star == "*" && labels.contains('.') {
        return Some(format!(
            "the certificate is for {shown}, not {expected}; a wildcard stands for one label"
        ));
    }
    (star != "*" && star.contains('*')).then(|| {
        format!(
            "the certificate is for {shown}, not {expected}; a wildcard must be the whole label"
        )
    })
}
