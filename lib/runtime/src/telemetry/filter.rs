//! `log.filter`, as text and as what filters.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

/// Reads a filter; the error is the part that is wrong. A lone word must be a level: `EnvFilter` would take a
/// mistyped `inof` for a target and log nothing else.
pub(crate) fn parse_filter(text: &str) -> Result<EnvFilter, &str> {
    let parts = || text.split(',');
    let mistyped = |part: &&str| {
        let level = !part.is_empty() && part.parse::<LevelFilter>().is_ok();
        !level && !part.contains(['=', '['])
    };
    if let Some(part) = parts().find(mistyped) {
        return Err(part);
    }
    EnvFilter::builder().parse(text).map_err(|_| {
        let wrong = parts().find(|part| part.parse::<Directive>().is_err());
        wrong.unwrap_or(text)
    })
}
