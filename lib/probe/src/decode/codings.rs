//! The codings of a body, as its head names them.

use ureq::http::{HeaderMap, header};

use crate::redact::quote;

/// The most codings of one body; each takes memory. `curl` takes as many.
const MOST: usize = 5;

/// A coding that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or the bare RFC 1951 that some servers send for it.
    Deflate,
    /// RFC 7932.
    Brotli,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The coding of a name, in any case (RFC 9110, 8.4.1); `Ok(None)` for a name of no coding.
    fn named(name: &[u8]) -> Result<Option<Self>, Unknown> {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("gzip") || is("x-gzip") {
            Ok(Some(Self::Gzip))
        } else if is("deflate") {
            Ok(Some(Self::Deflate))
        } else if is("br") {
            Ok(Some(Self::Brotli))
        } else if is("zstd") {
            Ok(Some(Self::Zstd))
        } else if ["", "identity", "none"].into_iter().any(is) || is_charset(name) {
            Ok(None)
        } else {
            Err(Unknown(format!("as {}", quote(name))))
        }
    }

    /// The name, for people.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

/// A coding that cannot be decoded: how a body is coded, as people may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unknown(pub(super) String);

/// The codings of a body, in the order in which they were applied.
pub(super) fn of(headers: &HeaderMap) -> Result<Vec<Coding>, Unknown> {
    let mut codings = Vec::new();
    for value in headers.get_all(header::CONTENT_ENCODING) {
        for name in value.as_bytes().split(|b| *b == b',') {
            codings.extend(Coding::named(name.trim_ascii())?);
        }
    }
    if codings.len() > MOST {
        return Err(Unknown(format!("in {} layers", codings.len())));
    }
    Ok(codings)
}

/// Whether a name is that of a charset: some servers put it into the wrong header, and browsers pass over it.
fn is_charset(name: &[u8]) -> bool {
    encoding_rs::Encoding::for_label(name).is_some()
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderValue;

    use super::*;

    #[test]
    fn codings_are_read_from_all_lines_in_any_case() {
        use Coding::{Brotli, Deflate, Gzip, Zstd};
        for (lines, codings) in [
            (&[][..], Ok(vec![])),
            (&["gzip"], Ok(vec![Gzip])),
            (&["GZIP"], Ok(vec![Gzip])),
            (&["X-Gzip"], Ok(vec![Gzip])),
            (&["deflate, gzip"], Ok(vec![Deflate, Gzip])),
            (&["br ,\tzstd,", "identity"], Ok(vec![Brotli, Zstd])),
            (&["gzip", "gzip"], Ok(vec![Gzip, Gzip])),
            (&["", "None", "UTF-8"], Ok(vec![])),
            (&["gzip, x-compress"], Err("as \"x-compress\"")),
            (&["gzip;q=1"], Err("as \"gzip;q=1\"")),
            (&["br,br,br,br,br,br"], Err("in 6 layers")),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                let value = HeaderValue::from_static(line);
                headers.append(header::CONTENT_ENCODING, value);
            }
            let codings = codings.map_err(|unknown| Unknown(unknown.to_owned()));
            assert_eq!(of(&headers), codings, "{lines:?}");
        }
    }
}
