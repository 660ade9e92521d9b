//! Cases in tables: what a server does, and all that the check of it must say.

mod verdict;

use std::thread;
use std::time::Instant;

use contract::outcome::{Outcome, Reason};
use contract::task::Task;
use probe::Prober;

use crate::STARTED;
use crate::hostile::{Act, Server};
use crate::tables::{Row, Table};
use crate::{ALL, TIMEOUT_MS, WAITED, prober, task};

/// The time of a check that is not meant to time out, in milliseconds.
const AMPLE_MS: u32 = 5_000;
/// How long such a check may take, with its evaluation, in milliseconds.
const SHORT_MS: u64 = 2_500;
/// How much later than its time a timeout may be, in milliseconds.
const LATE_MS: u64 = 100;
/// The stack of a lane's thread: what recurses over what a server sends shows here.
const STACK_BYTES: usize = 1024 * 1024;

/// One case: a server, a site, and all that the check must say.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    name: &'static str,
    acts: Vec<Act>,
    request: String,
    expect: String,
    timeout_ms: u32,
    outcome: Outcome,
    reason: Option<Reason>,
    said: String,
    phases: &'static str,
    hops: usize,
    status: Option<u16>,
    dialled: bool,
    body_bytes: Option<u64>,
    took_ms: (u64, u64),
}

/// A site that is up with status 200.
pub(crate) fn up(name: &'static str, act: Act) -> Case {
    Case {
        name,
        acts: vec![act],
        request: "{}".to_owned(),
        expect: "{}".to_owned(),
        timeout_ms: AMPLE_MS,
        outcome: Outcome::Up,
        reason: None,
        said: String::new(),
        phases: ALL,
        hops: 1,
        status: Some(200),
        dialled: true,
        body_bytes: None,
        took_ms: (0, SHORT_MS),
    }
}

/// A site that is down after a head with status 200; the detail begins with `said`.
pub(crate) fn down(name: &'static str, act: Act, reason: Reason, said: &str) -> Case {
    Case {
        outcome: Outcome::Down,
        reason: Some(reason),
        said: said.to_owned(),
        ..up(name, act)
    }
}

/// A site that is down before its head was complete.
pub(crate) fn headless(name: &'static str, act: Act, reason: Reason, said: &str) -> Case {
    Case {
        status: None,
        ..down(name, act, reason, said)
    }
}

/// A site that sends nothing at all.
pub(crate) fn silent(name: &'static str, act: Act, reason: Reason, said: &str) -> Case {
    headless(name, act, reason, said).phases(WAITED)
}

/// A server that keeps the check until its time is up, with this status.
pub(crate) fn hangs(name: &'static str, act: Act, status: Option<u16>) -> Case {
    let (reason, said) = match status {
        Some(_) => (Reason::BodyTimeout, "receive: the body did not end within "),
        None => (
            Reason::ResponseTimeout,
            "receive: the response's head did not come within ",
        ),
    };
    let case = down(name, act, reason, said).times_out();
    Case { status, ..case }
}

impl Case {
    /// What the server does with the connections after the first.
    pub(crate) fn then(mut self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.acts.extend(acts);
        self.hops = self.acts.len();
        self
    }

    /// The site's request.
    pub(crate) fn request(mut self, json: &str) -> Self {
        json.clone_into(&mut self.request);
        self
    }

    /// The site's expectations.
    pub(crate) fn expect(mut self, json: &str) -> Self {
        json.clone_into(&mut self.expect);
        self
    }

    /// The status that is recorded.
    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The phases that are recorded.
    pub(crate) fn phases(mut self, phases: &'static str) -> Self {
        self.phases = phases;
        self
    }

    /// The connections that are recorded, where they are not one for each act.
    pub(crate) fn hops(mut self, hops: usize) -> Self {
        self.hops = hops;
        self
    }

    /// The outcome, where it is not that of the function which began the case.
    pub(crate) fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// The site's row makes no sense: it is not asked at all.
    pub(crate) fn invalid(mut self) -> Self {
        self.dialled = false;
        self.status = None;
        self.outcome(Outcome::Inconclusive).phases("").hops(0)
    }

    /// The decoded bytes of the body that are recorded; not compared unless said.
    pub(crate) fn body(mut self, bytes: u64) -> Self {
        self.body_bytes = Some(bytes);
        self
    }

    /// The check has little time and uses it up, to within 100 ms.
    pub(crate) fn times_out(mut self) -> Self {
        let limit = u64::from(TIMEOUT_MS);
        self.timeout_ms = TIMEOUT_MS;
        self.took_ms = (limit, limit + LATE_MS);
        self
    }

    /// The check takes at most so long.
    pub(crate) fn within_ms(mut self, most: u64) -> Self {
        self.took_ms = (0, most);
        self
    }

    /// A server of this case, and the task to check it.
    fn serve(&self) -> (Server, Task) {
        let server = Server::start(self.acts.clone());
        let mut task = task(&server.url("/"), &self.request, &self.expect);
        task.timeout_ms = self.timeout_ms;
        (server, task)
    }

    /// Makes the check; what it says, and what is not as it should be.
    fn run(&self, prober: &Prober) -> (Row, Vec<String>) {
        let (_server, task) = self.serve();
        let begun = Instant::now();
        let watched = prober.watch(&task, STARTED);
        let elapsed = begun.elapsed();
        let mut failures = self.compare(&watched);
        failures.extend(self.compare_times(&watched, elapsed));
        if !failures.is_empty() {
            failures.push(format!("{watched:?}"));
        }
        (Row::new(self.name, &watched.result), failures)
    }
}

/// Runs all cases at once, each on a thread like a lane's, and fails with the names of those that do.
pub(crate) fn run(cases: Vec<Case>) {
    check_all(cases, |_, row| row);
}

/// The same, and what the checks say is held against the table of this name.
pub(crate) fn table(name: &'static str, cases: Vec<Case>) {
    let mut table = Table::new(name);
    for row in check_all(cases, |case, row| row.and_curl(None, || case.serve())) {
        table.note(row);
    }
    table.finish();
}

/// Runs all cases; `more` is what else is done for each.
fn check_all(cases: Vec<Case>, more: fn(&Case, Row) -> Row) -> Vec<Row> {
    let prober = prober();
    let threads = cases.into_iter().map(|case| {
        let prober = prober.for_another_lane();
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        let check = move || {
            let (row, failures) = case.run(&prober);
            (case.name, more(&case, row), failures)
        };
        thread.spawn(check).unwrap()
    });
    let threads: Vec<_> = threads.collect();
    let mut rows = Vec::new();
    let mut failed = Vec::new();
    for thread in threads {
        let (name, row, failures) = thread.join().unwrap();
        rows.push(row);
        if !failures.is_empty() {
            failed.push(format!("{name}:\n  {}", failures.join("\n  ")));
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    rows
}
