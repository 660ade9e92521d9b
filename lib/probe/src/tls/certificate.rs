//! A server's certificate as people may see it.

use std::net::IpAddr;

use x509_parser::asn1_rs::Tag;
use x509_parser::extensions::GeneralName;

use super::seen::CertificateSeen;
use super::x509::parse;
use crate::redact::printable;

/// The most names that are read of a certificate.
const MAX_NAMES: usize = 8;
/// The longest text that is read of a certificate, in characters: as long as a host name can be.
const TEXT_CHARS: usize = 253;

/// Reads a certificate; `None` if it is none.
pub(crate) fn read(der: &[u8]) -> Option<CertificateSeen> {
    let certificate = parse(der, true)?;
    let shown = |text: String| printable(&text, TEXT_CHARS);
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.iter().flat_map(|names| &names.value.general_names);
    Some(CertificateSeen {
        subject: shown(certificate.subject().to_string()),
        issuer: shown(certificate.issuer().to_string()),
        names: names.filter_map(host).take(MAX_NAMES).map(shown).collect(),
        not_before_s: certificate.validity().not_before.timestamp(),
        not_after_s: certificate.validity().not_after.timestamp(),
    })
}

/// The host that a name stands for.
fn host(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let v6 = <[u8; 16]>::try_from(*bytes).map(IpAddr::from);
            v4.or(v6).ok().map(|address| address.to_string())
        }
        // a DNS name in letters that are not ASCII
        GeneralName::Invalid(Tag(2), bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;
    use crate::tls::x509::{day, validity_s};

    /// A certificate for these names.
    fn certificate(names: &[String]) -> Vec<u8> {
        let mut params = CertificateParams::new(names).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "line\nbreak");
        params.not_before = date_time_ymd(2020, 1, 2);
        params.not_after = date_time_ymd(2040, 1, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_is_read_in_bounds_and_without_control_characters() {
        let mut names = vec!["127.0.0.1".to_owned(), "::1".to_owned()];
        names.extend((0..20).map(|n| format!("{n}.a.example")));
        let der = certificate(&names);
        let seen = read(&der).unwrap();
        assert_eq!(
            (seen.subject.as_str(), &seen.issuer),
            ("CN=line·break", &seen.subject)
        );
        assert_eq!(seen.names, names[..MAX_NAMES]);
        let ends = (seen.not_before_s, seen.not_after_s);
        assert_eq!(ends, (1_577_923_200, 2_208_988_800));
        assert_eq!(validity_s(&der), Some(ends));
        assert_eq!(day(ends.0), "2020-01-02");
    }

    #[test]
    fn what_is_no_certificate_is_not_read_and_does_not_panic() {
        let der = certificate(&["a.example".to_owned()]);
        for end in 0..der.len() {
            assert_eq!(read(&der[..end]), None, "{end}");
            assert_eq!(validity_s(&der[..end]), None, "{end}");
        }
        for place in 0..der.len() {
            let mut broken = der.clone();
            broken[place] ^= 0xff;
            // whether it can still be read depends on the place
            drop((read(&broken), validity_s(&broken)));
        }
        assert_eq!(day(i64::MAX), format!("second {}", i64::MAX));
    }
}
