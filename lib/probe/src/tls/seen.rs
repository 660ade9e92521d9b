//! What was seen of TLS, for people.

/// What was seen of TLS on one connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsSeen {
    /// The version, once both sides had agreed on one.
    pub version: Option<&'static str>,
    /// The server's certificate, also one that was refused, if it can be read.
    pub certificate: Option<CertificateSeen>,
}

/// What a server's certificate says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateSeen {
    /// The subject: what it was issued to.
    pub subject: String,
    /// The issuer: the authority that vouches for it.
    pub issuer: String,
    /// The first host names and addresses that it is for.
    pub names: Vec<String>,
    /// From when it is valid, in seconds since the Unix epoch.
    pub not_before_s: i64,
    /// Until when it is valid, in seconds since the Unix epoch.
    pub not_after_s: i64,
}
