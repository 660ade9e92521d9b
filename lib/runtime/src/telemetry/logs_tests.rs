//! What is logged under which filter, and in which form.

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
            filters(filter).unwrap_err().to_string(),
            format!(
                "log.filter: {part:?} is no filter; write a level (error, warn, info, debug, \
                 trace, off) or target=level, with commas between"
            )
        );
    }
    for filter in ["info", "WARN,checker=debug", "off,shop[turn{id=7}]=trace"] {
        filters(filter).unwrap();
    }
}
