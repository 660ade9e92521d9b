//! The pure parts by themselves: due instants, a task's bytes, the ledger, expectations.
//!
//! `cargo bench -p bench` shows what one call takes.

use checker::bench_support::keep_ledger;
use contract::check::SiteId;
use contract::installation::Installation;
use contract::instant::UnixMs;
use contract::schedule::due_instants;
use contract::site::Expect;
use contract::task::{Task, VERSION};
use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use probe::meets;
use serde_json::value::RawValue;
use ureq::http::Response;

/// An instant in November 2026, in milliseconds since the Unix epoch.
const NOW: UnixMs = UnixMs(1_795_449_600_000);
/// Tasks of a batch.
const TASKS: usize = 1_000;
/// What a page of some 16 KiB has in each line.
const LINE: &str = "<li>a line as pages have them, item 4711</li>\n";

fn main() {
    divan::main();
}

/// The instants of one site in the window of one turn.
#[divan::bench(args = [100, 1_000, 60_000])]
fn due(bencher: Bencher<'_, '_>, interval_ms: i64) {
    let window = || {
        due_instants(
            black_box(77),
            black_box(interval_ms),
            NOW,
            NOW.plus_ms(1_000),
        )
    };
    bencher.bench(|| window().map(|due| due.0).sum::<i64>());
}

/// A task as the scheduler writes it.
#[divan::bench]
fn encode(bencher: Bencher<'_, '_>) {
    let empty: &RawValue = serde_json::from_str("{}").unwrap_or(RawValue::NULL);
    let task = Task {
        v: VERSION,
        installation: Installation::default(),
        site_id: SiteId(4_711),
        name: "shop of somebody",
        scheduled_at: NOW,
        expires_at: NOW.plus_ms(60_000),
        url: "https://shop.example/some/page",
        timeout_ms: 10_000,
        request: empty,
        expect: empty,
    };
    let mut buffer = Vec::new();
    bencher.bench_local(|| {
        buffer.clear();
        black_box(&task).encode(&mut buffer).is_ok()
    });
}

/// The same as the checker reads it.
#[divan::bench]
fn decode(bencher: Bencher<'_, '_>) {
    let message = format!(
        r#"{{"v":1,"installation":"00000000","site_id":4711,"name":"shop of somebody","scheduled_at":{NOW},"expires_at":{},"url":"https://shop.example/some/page","timeout_ms":10000,"request":{{}},"expect":{{}}}}"#,
        NOW.plus_ms(60_000)
    );
    bencher.bench(|| {
        Task::decode(black_box(message.as_bytes()), NOW, Installation::default()).is_ok()
    });
}

/// A thousand tasks of a partition that end in the order in which they came, or in any.
#[divan::bench(args = ["in order", "in any order"])]
fn ledger(bencher: Bencher<'_, '_>, order: &str) {
    let step = if order == "in order" { 1 } else { 617 };
    let offsets: Vec<_> = (0..TASKS).map(|n| n * step % TASKS).collect();
    let offsets: Vec<_> = offsets
        .into_iter()
        .filter_map(|n| i64::try_from(n).ok())
        .collect();
    let bencher = bencher.counter(ItemsCount::new(TASKS));
    bencher.bench(|| keep_ledger(black_box(&offsets), 100));
}

/// A response of 16 KiB against what is expected of it.
#[divan::bench(args = [
    "{}",
    r#"{"body": [{"contains": "nobody says so"}]}"#,
    r#"{"body": [{"matches": "item [0-9]+<"}]}"#,
    r#"{"json": [{"path": "$.status", "equals": "ok"}]}"#,
])]
fn expectations(bencher: Bencher<'_, '_>, json: &str) {
    let expect = Expect::parse(json).unwrap_or_default();
    let head = Response::new(()).into_parts().0;
    let list: Vec<_> = std::iter::repeat_n(LINE, 16 * 1_024 / LINE.len()).collect();
    let page = if json.contains("json") {
        format!(r#"{{"items": {list:?}, "status": "ok"}}"#)
    } else {
        list.concat()
    };
    let body = || page.clone().into_bytes();
    let bencher = bencher.with_inputs(body);
    bencher.bench_values(|body| meets(black_box(&expect), &head, &body));
}
