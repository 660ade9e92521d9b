//! `traces`: where the traces of checks go.

use contract::trace::Share;
use serde::Deserialize;
use url::Url;

use super::document::Document;
use super::scalar::Scalar;

/// `traces.ratio`, unless the file says otherwise.
const RATIO: f64 = 0.01;
/// What is appended to `traces.endpoint`, as the specification of OTLP says.
const PATH: &str = "/v1/traces";

/// `traces`: where the traces of checks go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesConfig {
    /// The address that takes them: `traces.endpoint`, and the path of OTLP over HTTP.
    pub url: String,
    /// `traces.ratio`: which checks are traced.
    pub share: Share,
}

/// The section as written.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTraces {
    /// `traces.endpoint`.
    endpoint: Option<String>,
    /// `traces.ratio`.
    ratio: Option<Scalar>,
}

impl TracesConfig {
    /// Takes the section `traces`; without an endpoint there are no traces.
    pub fn take(document: &mut Document) -> Option<Option<Self>> {
        let RawTraces { endpoint, ratio } = document.take("traces")?;
        let share = document.check("traces.ratio", valid_ratio(ratio));
        let url = document.check(
            "traces.endpoint",
            endpoint.as_deref().map(valid_endpoint).transpose(),
        );
        let share = share?;
        Some(url?.map(|url| Self { url, share }))
    }
}

/// Where a collector takes traces. No message shows any of it.
fn valid_endpoint(text: &str) -> Result<String, String> {
    let form = "the base address of a collector like `http://127.0.0.1:4318`";
    let url = Url::parse(text).map_err(|problem| format!("must be {form} ({problem})"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("must be {form}"));
    }
    // A password with a raw `/` ends the host too early; the `@` behind it is then in the path.
    if !url.username().is_empty() || url.password().is_some() || text.contains('@') {
        return Err(format!(
            "must be {form}, without a password: a collector of yours knows those of others"
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("must be {form}, without `?` and `#`"));
    }
    let base = text.trim_end_matches('/');
    if base.ends_with(PATH) {
        return Err(format!("must be without `{PATH}`, which is appended"));
    }
    Ok(format!("{base}{PATH}"))
}

/// A share of all checks.
fn valid_ratio(raw: Option<Scalar>) -> Result<Share, String> {
    let ratio = match raw {
        None => Some(RATIO),
        Some(Scalar::Number(number)) => u32::try_from(number).ok().map(f64::from),
        Some(Scalar::Text(text)) => text.parse().ok(),
    };
    let wrong = "must be a number from 0 to 1: 0.01 is one check of a hundred";
    ratio.and_then(Share::new).ok_or_else(|| wrong.to_owned())
}
