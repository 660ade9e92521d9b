//! How TLS is used: `sslmode`.

use sea_orm::sqlx::postgres::PgSslMode;

/// What `sslmode` may be.
pub(crate) const MODES: &str = "disable, allow, prefer, require, verify-ca or verify-full";

/// `sslmode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// No TLS.
    Disable,
    /// No TLS: sqlx has no connection that tries TLS second.
    Allow,
    /// TLS if the server has it.
    Prefer,
    /// TLS with any certificate.
    Require,
    /// TLS with a certificate of a known authority.
    VerifyCa,
    /// The same, issued for this host.
    VerifyFull,
}

impl TlsMode {
    /// Reads the value of `sslmode`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }

    /// What sqlx calls it.
    pub(crate) const fn of_sqlx(self) -> PgSslMode {
        match self {
            Self::Disable => PgSslMode::Disable,
            Self::Allow => PgSslMode::Allow,
            Self::Prefer => PgSslMode::Prefer,
            Self::Require => PgSslMode::Require,
            Self::VerifyCa => PgSslMode::VerifyCa,
            Self::VerifyFull => PgSslMode::VerifyFull,
        }
    }
}
