//! The cryptography.

use rustls::crypto::hash::HashAlgorithm;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{Error, NamedGroup, SupportedCipherSuite};

/// How keys are exchanged; the texts for people name them too.
const KEY_EXCHANGES: [NamedGroup; 3] = [
    NamedGroup::X25519,
    NamedGroup::secp256r1,
    NamedGroup::secp384r1,
];

/// The cryptography, ready to be used; an error if the system gives no random bytes.
///
/// Of two ciphers alike the one comes first, as in browsers, whose hash most processors compute by themselves. Key
/// exchange with ML-KEM is not offered: a server that prefers it asks for a second hello, and each check would take a
/// round trip more. The first random bytes of a process take tens of milliseconds, so they are drawn here: no check
/// should measure them.
pub(super) fn provider() -> Result<CryptoProvider, Error> {
    let mut provider = aws_lc_rs::default_provider();
    provider
        .kx_groups
        .retain(|group| KEY_EXCHANGES.contains(&group.name()));
    let hash = |suite: &SupportedCipherSuite| match suite {
        SupportedCipherSuite::Tls13(suite) => suite.common.hash_provider.algorithm(),
        SupportedCipherSuite::Tls12(suite) => suite.common.hash_provider.algorithm(),
    };
    let slow = |suite: &SupportedCipherSuite| hash(suite) == HashAlgorithm::SHA384;
    provider.cipher_suites.sort_by_key(slow);
    provider.secure_random.fill(&mut [0])?;
    Ok(provider)
}
