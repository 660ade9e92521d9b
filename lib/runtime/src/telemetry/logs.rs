//! Logs on standard error, as text for people or JSON for machines.

use std::fmt::{Debug, Formatter};
use std::io::{self, IsTerminal as _};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::{Directive, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layered, SubscriberExt as _};
use tracing_subscriber::reload::{self, Handle};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt};

use super::harmless::Harmless;
use crate::config::{LogConfig, LogFormat};

/// The first three dump whole requests at `trace`, secrets and all; the next three warn of each answer
/// of a name server that is not as it should be, which is in the check's detail; the last three repeat what
/// the server remarks on statements that are as they should be, and what becomes of each connection
/// while a database is away, which the part that needed it tells.
const CAPPED: [(&str, LevelFilter); 9] = [
    ("ureq", LevelFilter::INFO),
    ("ureq_proto", LevelFilter::INFO),
    ("rustls", LevelFilter::INFO),
    ("hickory_net", LevelFilter::OFF),
    ("hickory_proto", LevelFilter::OFF),
    ("hickory_resolver", LevelFilter::OFF),
    ("sqlx::postgres::notice", LevelFilter::WARN),
    ("sqlx::pool", LevelFilter::ERROR),
    ("sqlx_core::pool", LevelFilter::ERROR),
];

/// Logs cannot be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// `log.filter` cannot be read.
    #[error(
        "log.filter: {part:?} is no filter; write a level (error, warn, info, debug, trace, off) or target=level, with commas between"
    )]
    Filter {
        /// The part that is wrong.
        part: String,
    },
    /// The process has logs already.
    #[error("cannot start the logs: {0}")]
    Start(#[from] TryInitError),
    /// The filter cannot be changed.
    #[error("cannot change log.filter: {0}")]
    Change(#[from] reload::Error),
}

/// What writes, below the filter.
type Written = Layered<Box<dyn tracing_subscriber::Layer<Registry> + Send + Sync>, Registry>;
/// The filter of the configuration, and webmon's own.
type Filters = Layered<Targets, EnvFilter, Written>;

/// The logs of this process, whose filter can be changed.
#[derive(Clone, Default)]
pub struct Logs(Option<Handle<Filters, Written>>);

impl Debug for Logs {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logs").finish_non_exhaustive()
    }
}

impl Logs {
    /// Filters by `log.filter` from now on.
    pub fn filter_by(&self, filter: &str) -> Result<(), LogError> {
        if let Self(Some(handle)) = self {
            handle.reload(filters(filter)?)?;
        }
        Ok(())
    }
}

/// Starts the logs of this process, on standard error; once.
pub fn start_logs(config: &LogConfig) -> Result<Logs, LogError> {
    let colours = io::stderr().is_terminal();
    let (subscriber, logs) = subscriber(config, colours, io::stderr)?;
    subscriber.try_init()?;
    Ok(logs)
}

/// What `start_logs` starts, on any writer.
fn subscriber<W>(
    config: &LogConfig,
    colours: bool,
    writer: W,
) -> Result<(impl Subscriber + Send + Sync + use<W>, Logs), LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let (filters, handle) = reload::Layer::new(filters(&config.filter)?);
    let json = config.format == LogFormat::Json;
    let layer = fmt::layer().with_writer(Harmless::new(writer, json, colours));
    // Without the call NO_COLOR decides, as people expect on a terminal.
    let layer = if colours {
        layer
    } else {
        layer.with_ansi(false)
    };
    let layer = match config.format {
        LogFormat::Text => layer.boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    let subscriber = Registry::default().with(layer).with(filters);
    Ok((subscriber, Logs(Some(handle))))
}

/// The filter of the configuration, and webmon's own, which lets through no more than that one: of two filters
/// the laxer one decides what is not even looked at, and the libraries say a lot below that.
fn filters(filter: &str) -> Result<Filters, LogError> {
    let filter = parse_filter(filter)?;
    let most = filter.max_level_hint().unwrap_or(LevelFilter::TRACE);
    let caps = Targets::new().with_default(most).with_targets(CAPPED);
    Ok(filter.and_then(caps))
}

/// Reads a filter. A lone word must be a level: `EnvFilter` would take a mistyped `inof` for a target
/// and log nothing else.
pub(crate) fn parse_filter(text: &str) -> Result<EnvFilter, LogError> {
    let refuse = |part: &str| LogError::Filter {
        part: part.to_owned(),
    };
    let parts = || text.split(',');
    let mistyped = |part: &&str| {
        let level = !part.is_empty() && part.parse::<LevelFilter>().is_ok();
        !level && !part.contains(['=', '['])
    };
    if let Some(part) = parts().find(mistyped) {
        return Err(refuse(part));
    }
    EnvFilter::builder().parse(text).map_err(|_| {
        refuse(
            parts()
                .find(|part| part.parse::<Directive>().is_err())
                .unwrap_or(text),
        )
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use contract::text::is_harmless;

    use super::*;

    /// A writer that the test can read.
    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Page {
        fn write(&mut self, text: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(text)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What these settings log of what `speak` says.
    fn logged(format: LogFormat, filter: &str, speak: impl FnOnce()) -> String {
        let page = Page::default();
        let config = LogConfig {
            format,
            filter: filter.to_owned(),
        };
        let pages = page.clone();
        let (subscriber, _) = subscriber(&config, false, move || pages.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, speak);
        let text = page.0.lock().unwrap().clone();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn the_filter_decides_what_is_logged() {
        let text = logged(LogFormat::Text, "warn,shop=debug", || {
            tracing::info!("left out");
            tracing::debug!(target: "shop", "kept");
        });
        assert!(!text.contains("left out"), "{text}");
        assert!(text.contains("kept"), "{text}");
    }

    #[test]
    fn what_is_below_the_filter_is_not_even_looked_at() {
        for (filter, most) in [
            ("info", LevelFilter::INFO),
            ("warn,shop=debug", LevelFilter::DEBUG),
            ("off,shop[turn{id=7}]=trace", LevelFilter::TRACE),
        ] {
            let config = LogConfig {
                format: LogFormat::Text,
                filter: filter.to_owned(),
            };
            let (subscriber, _) = subscriber(&config, false, io::sink).unwrap();
            assert_eq!(subscriber.max_level_hint(), Some(most), "{filter}");
        }
    }

    #[test]
    fn a_filter_that_is_changed_holds_at_once_with_what_is_never_said() {
        let page = Page::default();
        let config = LogConfig {
            format: LogFormat::Text,
            filter: "warn".to_owned(),
        };
        let pages = page.clone();
        let (subscriber, logs) = subscriber(&config, false, move || pages.clone()).unwrap();
        let speak = |word: &str| {
            tracing::info!("{word} at info");
            tracing::debug!(target: "shop", "{word} at debug");
            tracing::debug!(target: "ureq::run", "{word} secret");
        };
        tracing::subscriber::with_default(subscriber, || {
            speak("first");
            logs.filter_by("info,shop=debug,ureq=trace").unwrap();
            speak("second");
            // a wrong one changes nothing
            logs.filter_by("inof").unwrap_err();
            speak("third");
            logs.filter_by("off").unwrap();
            speak("fourth");
        });
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        for (words, logged) in [
            ("first at", false),
            ("second at info", true),
            ("second at debug", true),
            ("third at debug", true),
            ("fourth at", false),
            ("secret", false),
        ] {
            assert_eq!(text.contains(words), logged, "{words}: {text}");
        }
    }

    #[test]
    fn requests_are_not_dumped_whatever_the_filter_says() {
        let text = logged(
            LogFormat::Text,
            "trace,ureq=trace,ureq_proto=trace,rustls=trace",
            || {
                tracing::trace!("ours");
                tracing::debug!(target: "ureq::run", "secret one");
                tracing::trace!(target: "ureq_proto::client", "secret two");
                tracing::debug!(target: "rustls::client::hs", "secret three");
                tracing::info!(target: "ureq", "harmless");
            },
        );
        assert!(text.contains("ours") && text.contains("harmless"), "{text}");
        assert!(!text.contains("secret"), "{text}");
    }

    #[test]
    fn machines_get_one_object_per_line_with_its_fields() {
        let text = logged(LogFormat::Json, "info", || {
            tracing::info!(site.id = 7, "read");
        });
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["message"], "read");
        assert_eq!(line["site.id"], 7);
        assert_eq!(line["level"], "INFO");
    }

    #[test]
    fn what_others_say_does_nothing_to_a_terminal() {
        let odd = "shop\u{1b}[31m\u{202e}\u{9b}";
        let text = logged(LogFormat::Text, "info", || {
            tracing::info!(name = odd, "{odd}");
        });
        assert!(text.trim_end().chars().all(is_harmless), "{text:?}");
        let text = logged(LogFormat::Json, "info", || {
            tracing::info!(name = odd, "{odd}");
        });
        assert!(text.trim_end().chars().all(is_harmless), "{text:?}");
        let line: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["name"], odd);
    }

    #[test]
    fn a_filter_that_is_none_is_refused_with_the_remedy() {
        for (filter, part) in [
            ("warn,scheduler=loud", "scheduler=loud"),
            ("inof", "inof"),
            ("", ""),
        ] {
            assert_eq!(
                parse_filter(filter).unwrap_err().to_string(),
                format!(
                    "log.filter: {part:?} is no filter; write a level (error, warn, info, debug, \
                     trace, off) or target=level, with commas between"
                )
            );
        }
        for filter in ["info", "WARN,checker=debug", "off,shop[turn{id=7}]=trace"] {
            parse_filter(filter).unwrap();
        }
    }
}
