//! The services: each is started again when it ends, as compose and systemd would do it.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use testbed::{Process, Settings, WallClock, get, metric};

use crate::action::{Deed, Member};
use crate::kind::{CHECKERS, SCHEDULERS};

/// The pause before a service that ended by itself is started again.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a service may take to stop, when what it needs may be away: its deadline, and more.
const STOP: Duration = Duration::from_secs(45);

/// All services.
#[derive(Debug)]
pub(crate) struct Crew {
    /// What schedulers are told.
    schedulers: Settings,
    /// What checkers are told.
    checkers: Settings,
    /// Where their files are.
    folder: PathBuf,
    /// Where their logs are kept.
    pub(crate) logs: PathBuf,
    /// The services that are to run.
    posts: BTreeMap<Member, Post>,
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
struct Post {
    /// It, if it was started.
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

impl Crew {
    /// Services of which none runs yet.
    pub(crate) fn new(schedulers: Settings, checkers: Settings, folder: PathBuf) -> Self {
        let logs = folder.join("logs");
        fs::create_dir_all(&logs).expect("a folder for logs");
        let members = (0..SCHEDULERS).map(Member::Scheduler);
        let members = members.chain((0..CHECKERS).map(Member::Checker));
        let post = |member: Member| {
            let clock = WallClock::new(&folder, &member.to_string());
            (member, Post::empty(clock))
        };
        let posts = members.map(post).collect();
        Self {
            schedulers,
            checkers,
            folder,
            logs,
            posts,
            leaving: Vec::new(),
            started: 0,
            gave_up: 0,
            overdue: 0,
        }
    }

    /// Does something to a service.
    pub(crate) fn act(&mut self, member: Member, deed: Deed) {
        let Some(post) = self.posts.get_mut(&member) else {
            return;
        };
        post.wanted = matches!(deed, Deed::Start | Deed::Freeze | Deed::Thaw);
        post.again = Instant::now();
        let Some(mut process) = post.process.take_if(|process| process.ended().is_none()) else {
            return;
        };
        match deed {
            Deed::Freeze => process.freeze(),
            Deed::Thaw => process.thaw(),
            Deed::Start | Deed::Fill | Deed::Free => {}
            Deed::Stop => {
                process.terminate();
                return self.leaving.push((process, Instant::now()));
            }
            Deed::Kill | Deed::Wipe => {
                process.crash();
                return keep_log(&self.logs, &process);
            }
        }
        post.process = Some(process);
    }

    /// Sets the wall clock of a service's host: so many seconds ahead of the machine's.
    pub(crate) fn set_clock(&self, member: Member, ahead: i32) {
        if let Some(post) = self.posts.get(&member) {
            post.clock.set_ahead(ahead);
        }
    }

    /// All are to run, none stands still, and their clocks are right.
    pub(crate) fn heal(&mut self) {
        for member in self.posts.keys().copied().collect::<Vec<_>>() {
            self.act(member, Deed::Thaw);
            self.set_clock(member, 0);
        }
    }

    /// Starts what is to run and does not.
    pub(crate) fn supervise(&mut self) {
        let now = Instant::now();
        self.part(now);
        for (member, post) in &mut self.posts {
            if let Some(mut process) = post.process.take() {
                let Some(status) = process.ended() else {
                    post.process = Some(process);
                    continue;
                };
                keep_log(&self.logs, &process);
                let said = process.said();
                let began = said.contains(" scheduling") || said.contains(" checking");
                let excused = !began && status.code() == Some(1);
                assert!(excused, "{} ended by itself: {status}", process.name());
                self.gave_up += 1;
                post.again = now + AGAIN;
            }
            if post.wanted && post.again <= now {
                self.started += 1;
                let name = format!("{member}.{}", self.started);
                let (program, file) = match member {
                    Member::Scheduler(_) => {
                        ("scheduler", self.schedulers.scheduler(&self.folder, &name))
                    }
                    Member::Checker(_) => ("checker", self.checkers.checker(&self.folder, &name)),
                };
                post.listen = file.listen;
                post.process = Some(file.start_by(&post.clock, &name, program));
            }
        }
    }

    /// Takes leave of those that have stopped.
    fn part(&mut self, now: Instant) {
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

    /// Whether all are ready, and nobody is leaving.
    pub(crate) async fn is_ready(&self) -> bool {
        for post in self.posts.values() {
            let answer = get(post.listen, "/readyz").await.unwrap_or_default();
            if post.process.is_none() || !answer.starts_with("HTTP/1.1 200") {
                return false;
            }
        }
        self.leaving.is_empty()
    }

    /// The sum of a metric over the services that have it.
    pub(crate) async fn sum(&self, name: &str) -> f64 {
        let mut sum = 0.0;
        for post in self.posts.values() {
            sum += metric(post.listen, name).await;
        }
        sum
    }

    /// Stops all services of a kind in good order: nothing is away, so they drain in time.
    pub(crate) async fn stop(&mut self, kind: fn(&Member) -> bool) {
        let mut stopping = Vec::new();
        for (member, post) in &mut self.posts {
            if kind(member) {
                post.wanted = false;
                stopping.extend(post.process.take());
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
        let running = self.posts.values().filter_map(|post| post.process.as_ref());
        for process in running.chain(self.leaving.iter().map(|(process, _)| process)) {
            keep_log(&self.logs, process);
        }
    }
}

impl Post {
    /// Nobody.
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
