//! What a server sends that TLS does not know, or webmon does not speak.

use rustls::{ContentType, Error, HandshakeType, InvalidMessage, PeerIncompatible, PeerMisbehaved};

use super::SPOKEN;
use super::words::words;
use crate::redact::quote;

/// An error that the server caused; `None` if it is not the server's.
pub(super) fn explain(error: &Error) -> Option<String> {
    let broken = match error {
        Error::PeerIncompatible(why) => return Some(incompatible(why)),
        Error::PeerMisbehaved(why) => match misbehaved(why) {
            Ok(message) => return Some(message.to_owned()),
            Err(broken) => broken,
        },
        Error::InvalidMessage(
            InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
        ) => return Some(NO_TLS.to_owned()),
        Error::InvalidMessage(why) => words(&format!("{why:?}")),
        Error::InappropriateMessage { got_type, .. } => untimely_record(*got_type),
        Error::InappropriateHandshakeMessage { got_type, .. } => match got_type {
            HandshakeType::CertificateRequest => {
                return Some(
                    "the server asks for a client certificate after the handshake; webmon shows one in the \
                     handshake only (request.tls.certificate)"
                        .to_owned(),
                );
            }
            other => format!("{} at the wrong time", words(&format!("{other:?}"))),
        },
        Error::DecryptError => "a record that cannot be decrypted".to_owned(),
        Error::PeerSentOversizedRecord => "a record that is too long".to_owned(),
        Error::NoApplicationProtocol => "no protocol in common".to_owned(),
        _ => return None,
    };
    Some(format!("the server breaks the rules of TLS ({broken})"))
}

/// What is said of a server that does not speak TLS at all.
const NO_TLS: &str = "what the server sends is not TLS";

/// What a server that began with these bytes speaks in place of TLS.
pub(super) fn explain_no_tls(first: &[u8]) -> String {
    let begins = |with: &[u8]| first.get(..with.len()) == Some(with);
    let html = first.first() == Some(&b'<');
    let what = if begins(b"HTTP/") || html {
        "it speaks HTTP without TLS on this port; write http: in the URL, or the port of https"
    } else if begins(b"SSH-") {
        "it speaks SSH on this port"
    } else if begins(b"220") || begins(b"* OK") || begins(b"+OK") {
        "it speaks as servers of mail and FTP do"
    } else if first.get(3..9) == Some(&[4, 0, 0, 0, 0, 0]) {
        // the frame with which a server begins (RFC 9113, 3.4)
        "it speaks HTTP/2 without TLS on this port; webmon speaks HTTP/1.1"
    } else {
        return format!("{NO_TLS}; it begins with {}", quote(first));
    };
    format!("{NO_TLS}: {what}")
}

/// A record of TLS at the wrong time.
fn untimely_record(kind: ContentType) -> String {
    format!("{} at the wrong time", words(&format!("{kind:?}")))
}

/// The server speaks another TLS.
fn incompatible(why: &PeerIncompatible) -> String {
    use PeerIncompatible::{
        ServerDoesNotSupportTls12Or13, ServerTlsVersionIsDisabledByOurConfig, Tls12NotOffered,
        Tls12NotOfferedOrEnabled,
    };
    match why {
        ServerDoesNotSupportTls12Or13
        | ServerTlsVersionIsDisabledByOurConfig
        | Tls12NotOffered
        | Tls12NotOfferedOrEnabled => "the server speaks neither TLS 1.2 nor TLS 1.3".to_owned(),
        other => {
            let words = words(&format!("{other:?}"));
            format!("the server has no way of TLS in common with webmon ({words}); {SPOKEN}")
        }
    }
}

/// The server broke a rule: what is said, or the rule.
fn misbehaved(why: &PeerMisbehaved) -> Result<&'static str, String> {
    use PeerMisbehaved::{
        AttemptedDowngradeToTls12WhenTls13IsSupported, SelectedUnofferedApplicationProtocol,
        SelectedUnofferedCipherSuite, SelectedUnofferedKxGroup,
        SignedHandshakeWithUnadvertisedSigScheme, TooManyRenegotiationRequests,
    };
    Ok(match why {
        TooManyRenegotiationRequests => {
            "the server asks for a new handshake again and again; webmon does not renegotiate"
        }
        SelectedUnofferedApplicationProtocol => {
            "the server chose a protocol that webmon did not offer; webmon speaks HTTP/1.1"
        }
        SelectedUnofferedCipherSuite | SelectedUnofferedKxGroup => {
            "the server chose a cipher suite or key exchange that webmon did not offer"
        }
        SignedHandshakeWithUnadvertisedSigScheme => {
            "the server signed the handshake in a way that webmon did not offer"
        }
        AttemptedDowngradeToTls12WhenTls13IsSupported => {
            "something on the way made TLS 1.2 of TLS 1.3, which both sides speak (a downgrade)"
        }
        other => return Err(words(&format!("{other:?}"))),
    })
}
