//! What `request.tls` accepts, and how it refuses the rest.

use super::super::Request;
use super::*;

/// A certificate, as it stands in JSON.
fn pem() -> String {
    let certificate = rcgen::generate_simple_self_signed(["shop.example".to_owned()]).unwrap();
    certificate
        .cert
        .pem()
        .replace('\r', "")
        .replace('\n', "\\n")
}

fn read(tls: &str) -> Result<Tls, String> {
    Request::parse(&format!(r#"{{"tls": {tls}}}"#))
        .map(|request| request.tls)
        .map_err(|error| error.to_string())
}

#[test]
fn every_key_is_read() {
    let pem = pem();
    let tls = format!(
        r#"{{"ca": "{pem}{pem}", "certificate": "{pem}", "key": "${{secret:SHOP_KEY}}",
            "server_name": "shop.example", "verify": false}}"#
    );
    let tls = read(&tls).unwrap();
    assert_eq!(tls.ca.len(), 2);
    let identity = tls.identity.unwrap();
    assert_eq!(
        (identity.certificate.len(), identity.key.as_str()),
        (1, "SHOP_KEY")
    );
    assert_eq!(tls.server_name.as_deref(), Some("shop.example"));
    assert!(!tls.verify);
    assert_eq!(read("{}").unwrap(), Tls::default());
    for name in ["::1", "10.0.0.1", "a_b.example", "localhost"] {
        assert!(
            read(&format!(r#"{{"server_name": "{name}"}}"#)).is_ok(),
            "{name}"
        );
    }
}

#[test]
fn nonsense_is_refused_with_its_place_and_the_remedy() {
    let pem = pem();
    let key = pem.replace("CERTIFICATE", "PRIVATE KEY");
    let both = format!("{pem}{key}");
    let cut = pem.replacen("\\nMI", "\\n", 1);
    let garbled = "-----BEGIN CERTIFICATE-----\\nMA==\\n-----END CERTIFICATE-----\\n";
    for (tls, fault) in [
        (
            "1".to_owned(),
            r#"request.tls: is a number; write an object like {"verify": false}"#,
        ),
        (
            r#"{"verfy": true}"#.to_owned(),
            "request.tls.verfy: unknown key; known are ca, certificate, key, server_name, verify",
        ),
        (
            r#"{"verify": "no"}"#.to_owned(),
            "request.tls.verify: is a string; write true or false",
        ),
        (
            r#"{"ca": "/etc/ca.pem"}"#.to_owned(),
            "request.tls.ca: holds no certificate; write PEM certificates, -----BEGIN CERTIFICATE-----",
        ),
        (
            format!(r#"{{"certificate": "{both}", "key": "${{secret:K}}"}}"#),
            "request.tls.certificate: holds a private key; put it into a secret and name it as key: ${secret:NAME}",
        ),
        (
            format!(r#"{{"certificate": "{pem}"}}"#),
            "request.tls.certificate: needs a key beside it; add key: ${secret:NAME}",
        ),
        (
            format!(r#"{{"ca": "{pem}{garbled}"}}"#),
            "request.tls.ca: certificate 2 cannot be read; copy it once more, as a whole",
        ),
        (
            format!(r#"{{"ca": "{cut}"}}"#),
            "request.tls.ca: certificate 1 cannot be read; copy it once more, as a whole",
        ),
        (
            r#"{"key": "${secret:K}"}"#.to_owned(),
            "request.tls.key: needs a certificate beside it; add certificate, in PEM",
        ),
        (
            format!(r#"{{"certificate": "{pem}", "key": "{key}"}}"#),
            "request.tls.key: is no secret; put the key into one and write ${secret:NAME}",
        ),
        (
            r#"{"server_name": "a b"}"#.to_owned(),
            r#"request.tls.server_name: "a b" is no host name; write one like shop.example"#,
        ),
        (
            r#"{"server_name": ""}"#.to_owned(),
            r#"request.tls.server_name: "" is no host name; write one like shop.example"#,
        ),
    ] {
        assert_eq!(read(&tls).unwrap_err(), fault, "{tls}");
    }
}
