//! A message on the tasks' topic: whatever it says, it is a task, or the checker can say why not; and a
//! task that makes sense is a check that can be made.
//!
//! The input is the message.

#![no_main]

use std::sync::LazyLock;

use contract::installation::Installation;
use contract::instant::{UnixMs, UnixUs};
use contract::outcome::Reason;
use contract::site::{Expect, Request, SiteError, parse_url};
use contract::task::Task;
use libfuzzer_sys::fuzz_target;
use probe::{Addresses, Dns, NameServer, ProbeOptions, Prober};
use tokio::runtime::Runtime;

/// Now.
const NOW: UnixMs = UnixMs(1_795_449_599_000);

/// The installation of the seeds.
static OURS: LazyLock<Installation> =
    LazyLock::new(|| "0f3c9a1b".parse().expect("an installation"));

/// A prober that may dial no address, and has no name server that answers.
static PROBER: LazyLock<Prober> = LazyLock::new(|| {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime"));
    let everyone = ["0.0.0.0/0", "::/0"].map(|net| net.parse().expect("a network"));
    let config = ProbeOptions {
        addresses: Addresses {
            allow: vec![],
            deny: everyone.to_vec(),
        },
        dns: Dns {
            servers: vec![NameServer::parse("127.0.0.1:9", 53).expect("an address")],
            ..Dns::default()
        },
        ..ProbeOptions::default()
    };
    Prober::new(&config, RUNTIME.handle()).expect("certificate authorities")
});

fuzz_target!(|message: &[u8]| {
    match Task::decode(message, NOW, *OURS) {
        Ok(task) => {
            assert_travels(&task);
            assert_checked(task);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});

/// Fails unless the task, written, is read as the same.
fn assert_travels(task: &Task) {
    let write = |task: &Task| {
        let mut bytes = Vec::new();
        task.encode(&mut bytes)
            .expect("what was read can be written");
        bytes
    };
    let bytes = write(task);
    let again = Task::decode(&bytes, NOW, *OURS).expect("what was written can be read");
    assert_eq!(write(&again), bytes);
}

/// Fails unless the check is refused by the rules of `contract`, or else gets as far as its site. It has
/// no time, so that it looks nothing up and dials no address.
fn assert_checked(mut task: Task) {
    task.timeout_ms = 0;
    let sense = sense(&task);
    let result = PROBER.check(&task, UnixUs(0));
    let reason = result.reason.expect("no check is up that asked nobody");
    assert_eq!(
        reason == Reason::InvalidSite,
        sense.is_err(),
        "{sense:?} {result:?}"
    );
    assert_ne!(reason, Reason::Internal, "{result:?}");
}

/// Whether the site makes sense.
fn sense(task: &Task) -> Result<(), SiteError> {
    parse_url(&task.url)?;
    Request::parse(task.request.get())?;
    Expect::parse(task.expect.get())?;
    Ok(())
}
