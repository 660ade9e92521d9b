//! The interface that a zone names, looked for each time: it may come late, and come again with another number.

use std::io;
use std::net::SocketAddr;

/// The address with its zone's number (RFC 4007, section 11.2).
pub(crate) fn in_zone(address: SocketAddr, zone: Option<&str>) -> io::Result<SocketAddr> {
    let (SocketAddr::V6(mut address), Some(zone)) = (address, zone) else {
        return Ok(address);
    };
    address.set_scope_id(zone.parse().or_else(|_| number(zone))?);
    Ok(address.into())
}

/// The number of an interface.
#[cfg(target_os = "linux")]
fn number(interface: &str) -> io::Result<u32> {
    use std::os::unix::net::UnixDatagram;

    use rustix::net::netdevice::name_to_index;

    // the question is asked of any socket (netdevice(7))
    name_to_index(UnixDatagram::unbound()?, interface).map_err(|error| {
        let error = io::Error::from(error);
        io::Error::new(error.kind(), format!("no interface {interface} ({error})"))
    })
}

/// The number of an interface.
#[cfg(not(target_os = "linux"))]
fn number(interface: &str) -> io::Result<u32> {
    let message = format!("interface {interface}: on this system write its number");
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_an_interface_by_its_number_or_name() {
        let address = "[fe80::1]:53".parse().unwrap();
        let zone = |zone| in_zone(address, zone).map(|address| address.to_string());
        assert_eq!(zone(None).unwrap(), "[fe80::1]:53");
        assert_eq!(zone(Some("7")).unwrap(), "[fe80::1%7]:53");
        if cfg!(target_os = "linux") {
            assert_eq!(zone(Some("lo")).unwrap(), "[fe80::1%1]:53");
            let error = zone(Some("nowhere0")).unwrap_err().to_string();
            assert!(error.starts_with("no interface nowhere0 ("), "{error}");
        }
        let v4 = "192.0.2.1:53".parse().unwrap();
        assert_eq!(in_zone(v4, Some("lo")).unwrap(), v4);
    }
}
