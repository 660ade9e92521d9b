//! The services: each is started again when it ends, as compose and systemd would do it.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use testbed::{Process, Settings, WallClock, get, metric};

use crate::action::{Operation, ServiceId};
use crate::fault::{CHECKERS, SCHEDULERS};

/// The pause before a service that ended by itself is started again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a service may take to stop, when what it needs may be away: its deadline, and more.
const STOP: Duration = Duration::from_secs(45);

/// All services.
#[derive(Debug)]
pub(crate) struct Services {
    /// What schedulers are told.
    schedulers: Settings,
    /// What checkers are told.
    checkers: Settings,
    /// Where their files are.
    folder: PathBuf,
    /// Where their logs are kept.
    pub(crate) logs: PathBuf,
    /// The services that are to run.
    supervised: BTreeMap<ServiceId, SupervisedService>,
    /// Those that were asked to stop, and since when.
    leaving: Vec<(Process, Instant)>,
    /// How many were started so far.
    started: usize,
    /// How many ended by themselves before they had begun, as what they need was away.
    pub(crate) gave_up: usize,
    /// How many did not drain in time.
    pub(crate) overdue: usize,
}

/// One service.
#[derive(Debug)]
struct SupervisedService {
    /// Its process, if it was started.
    process: Option<Process>,
    /// The wall clock of its host.
    clock: WallClock,
    /// Whether it is to run.
    wanted: bool,
    /// Its `http.listen`.
    listen: SocketAddr,
    /// When it may be started again.
    again: Instant,
}

impl Services {
    /// Services of which none runs yet.
    pub(crate) fn new(schedulers: Settings, checkers: Settings, folder: PathBuf) -> Self {
        let logs = folder.join("logs");
        fs::create_dir_all(&logs).expect("a folder for logs");
        let ids = (0..SCHEDULERS).map(ServiceId::Scheduler);
        let ids = ids.chain((0..CHECKERS).map(ServiceId::Checker));
        let service = |id: ServiceId| {
            let clock = WallClock::new(&folder, &id.to_string());
            (id, SupervisedService::empty(clock))
        };
        let supervised = ids.map(service).collect();
        Self {
            schedulers,
            checkers,
            folder,
            logs,
            supervised,
            leaving: Vec::new(),
            started: 0,
            gave_up: 0,
            overdue: 0,
        }
    }

    /// Does something to a service.
    pub(crate) fn act(&mut self, id: ServiceId, operation: Operation) {
        let Some(service) = self.supervised.get_mut(&id) else {
            return;
        };
        service.wanted = matches!(
            operation,
            Operation::Start | Operation::Freeze | Operation::Thaw
        );
        service.again = Instant::now();
        let Some(mut process) = service.process.take_if(|process| process.ended().is_none()) else {
            return;
        };
        match operation {
            Operation::Freeze => process.freeze(),
            Operation::Thaw => process.thaw(),
            Operation::Start | Operation::Fill | Operation::Free => {}
            Operation::Stop => {
                process.terminate();
                return self.leaving.push((process, Instant::now()));
            }
            Operation::Kill | Operation::Wipe => {
                process.crash();
                return keep_log(&self.logs, &process);
            }
        }
        service.process = Some(process);
    }

    /// Sets the wall clock of a service's host: so many seconds ahead of the machine's.
    pub(crate) fn set_clock(&self, id: ServiceId, ahead: i32) {
        if let Some(service) = self.supervised.get(&id) {
            service.clock.set_ahead(ahead);
        }
    }

    /// All are to run, none stands still, and their clocks are right.
    pub(crate) fn heal(&mut self) {
        for id in self.supervised.keys().copied().collect::<Vec<_>>() {
            self.act(id, Operation::Thaw);
            self.set_clock(id, 0);
        }
    }

    /// Starts what is to run and does not.
    pub(crate) fn supervise(&mut self) {
        let now = Instant::now();
        self.reap(now);
        for (id, service) in &mut self.supervised {
            if let Some(mut process) = service.process.take() {
                let Some(status) = process.ended() else {
                    service.process = Some(process);
                    continue;
                };
                keep_log(&self.logs, &process);
                let said = process.said();
                let began = said.contains(" scheduling") || said.contains(" checking");
                let excused = !began && status.code() == Some(1);
                assert!(excused, "{} ended by itself: {status}", process.name());
                self.gave_up += 1;
                service.again = now + AGAIN;
            }
            if service.wanted && service.again <= now {
                self.started += 1;
                let name = format!("{id}.{}", self.started);
                let (program, file) = match id {
                    ServiceId::Scheduler(_) => {
                        ("scheduler", self.schedulers.scheduler(&self.folder, &name))
                    }
                    ServiceId::Checker(_) => {
                        ("checker", self.checkers.checker(&self.folder, &name))
                    }
                };
                service.listen = file.listen;
                service.process = Some(file.start_by(&service.clock, &name, program));
            }
        }
    }

    /// Removes those that have stopped from the ones that are leaving.
    fn reap(&mut self, now: Instant) {
        for (mut process, since) in std::mem::take(&mut self.leaving) {
            let Some(status) = process.ended() else {
                let name = process.name();
                assert!(now - since < STOP, "{name} does not stop");
                self.leaving.push((process, since));
                continue;
            };
            keep_log(&self.logs, &process);
            match status.code() {
                Some(0) => {}
                // What it needs is away, and it says so at its deadline.
                Some(1) => self.overdue += 1,
                _ => panic!("{} was asked to stop: {status}", process.name()),
            }
        }
    }

    /// Whether all are ready, and none is leaving.
    pub(crate) async fn is_ready(&self) -> bool {
        for service in self.supervised.values() {
            let answer = get(service.listen, "/readyz").await.unwrap_or_default();
            if service.process.is_none() || !answer.starts_with("HTTP/1.1 200") {
                return false;
            }
        }
        self.leaving.is_empty()
    }

    /// The sum of a metric over the services that have it.
    pub(crate) async fn sum(&self, name: &str) -> f64 {
        let mut sum = 0.0;
        for service in self.supervised.values() {
            sum += metric(service.listen, name).await;
        }
        sum
    }

    /// Stops all services of a kind in good order: nothing is away, so they drain in time.
    pub(crate) async fn stop(&mut self, kind: fn(&ServiceId) -> bool) {
        let mut stopping = Vec::new();
        for (id, service) in &mut self.supervised {
            if kind(id) {
                service.wanted = false;
                stopping.extend(service.process.take());
            }
        }
        stopping.iter().for_each(Process::terminate);
        for mut process in stopping {
            let code = process.wait(STOP).await;
            assert_eq!(code, 0, "{} did not drain", process.name());
            keep_log(&self.logs, &process);
        }
    }

    /// Lines of all logs so far that tell of a defect.
    pub(crate) fn defects(&mut self) -> Vec<String> {
        self.keep_logs();
        let mut defects = Vec::new();
        for entry in fs::read_dir(&self.logs).expect("our own folder").flatten() {
            let log = fs::read_to_string(entry.path()).unwrap_or_default();
            let bad = log.lines().filter(|line| {
                let said = |text: &&str| line.contains(text);
                ["panicked", " ERROR ", "the result is lost"]
                    .iter()
                    .any(said)
            });
            let name = entry.file_name();
            defects.extend(bad.map(|line| format!("{}: {line}", name.display())));
        }
        defects
    }

    /// Keeps the logs of those that run.
    pub(crate) fn keep_logs(&self) {
        let running = self
            .supervised
            .values()
            .filter_map(|service| service.process.as_ref());
        for process in running.chain(self.leaving.iter().map(|(process, _)| process)) {
            keep_log(&self.logs, process);
        }
    }
}

impl SupervisedService {
    /// One that does not run.
    fn empty(clock: WallClock) -> Self {
        Self {
            process: None,
            clock,
            wanted: true,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            again: Instant::now(),
        }
    }
}

/// Keeps what a process said.
fn keep_log(folder: &std::path::Path, process: &Process) {
    let file = folder.join(format!("{}.log", process.name()));
    fs::write(file, process.said()).expect("our own folder");
}
