//! What people do beside the faults, and what is done to data and topic: each in a task of its own, which may
//! fail while what it needs is away.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::Offset;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr, TransactionTrait as _};
use testbed::{ConfigFile, Process, Topic, Website};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use crate::action::{Action, Operation};
use crate::changes;
use crate::random::Random;

/// How long one of them may take.
const LIMIT: Duration = Duration::from_mins(1);
/// On a full disk rows find no room at first; after so long WAL is to find none either.
const WAL_LATER: Duration = Duration::from_secs(3);
/// How many files of WAL there may be that are used again.
const WAL_FILES: usize = 20;
/// Goes on with the next of them.
const NEXT_WAL: &str = "SELECT pg_switch_wal() FROM txid_current()";
/// How many of the newest tasks of each partition are repeated.
const NEWEST: i64 = 100;
/// How many of the oldest tasks are.
const OLDEST: usize = 800;

/// Why such an action failed.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What they work with.
#[derive(Clone, Debug)]
pub(crate) struct Tools {
    /// A pool on the database, past the links.
    pub(crate) database: DatabaseConnection,
    /// The topic, past the links.
    pub(crate) topic: Arc<Topic>,
    /// What is watched.
    pub(crate) website: Arc<Website>,
    /// What `scheduler apply` is told.
    pub(crate) apply: ConfigFile,
    /// Where sites files go.
    pub(crate) folder: PathBuf,
}

/// All such actions of a run.
#[derive(Debug, Default)]
pub(crate) struct Background {
    /// Those under way, and those that have ended.
    tasks: JoinSet<Result<(), String>>,
}

impl Background {
    /// Starts an action in the background, if it is one that runs there.
    pub(crate) fn start(&mut self, action: Action, tools: &Tools) {
        let tools = tools.clone();
        self.tasks.spawn_local(async move {
            let done = timeout(LIMIT, run(action, tools)).await;
            let done = done.unwrap_or_else(|_| Err(format!("no end within {LIMIT:?}").into()));
            done.map_err(|failure| format!("{action:?}: {failure}"))
        });
    }

    /// Waits for all; returns how many there were, and why some failed.
    pub(crate) async fn end(&mut self) -> (usize, Vec<String>) {
        let (mut ended, mut failures) = (0, Vec::new());
        while let Some(task) = self.tasks.join_next().await {
            ended += 1;
            failures.extend(task.expect("an action does not panic").err());
        }
        (ended, failures)
    }
}

/// Runs one.
async fn run(action: Action, tools: Tools) -> Result<(), Failure> {
    match action {
        Action::Change(round) => all(tools.database, changes::statements(round)).await?,
        Action::Days => all(tools.database, owned(&changes::DAYS)).await?,
        Action::ChangeSlowly(round, open) => {
            slowly(tools.database, changes::slow_statements(round), open).await?;
        }
        Action::Read(open) => slowly(tools.database, owned(&changes::READ_ALL), open).await?,
        Action::Apply(round) => apply(round, tools).await?,
        Action::DeleteTopic => tools.topic.try_delete().await?,
        Action::Repeat(seed) => repeat(Random::new(seed), tools.topic).await?,
        Action::Postgres(Operation::Fill) => {
            sleep(WAL_LATER).await;
            all(tools.database, owned(&[NEXT_WAL; WAL_FILES])).await?;
        }
        Action::Service(..)
        | Action::SetClock(..)
        | Action::Broker(_)
        | Action::Postgres(_)
        | Action::Link(..) => {}
    }
    Ok(())
}

/// Runs statements, each in a transaction of its own.
async fn all(database: DatabaseConnection, statements: Vec<String>) -> Result<(), DbErr> {
    for sql in statements {
        database.execute_unprepared(&sql).await?;
    }
    Ok(())
}

/// Runs statements in a transaction that stays open.
async fn slowly(
    database: DatabaseConnection,
    statements: Vec<String>,
    open: Duration,
) -> Result<(), DbErr> {
    let transaction = database.begin().await?;
    for sql in statements {
        transaction.execute_unprepared(&sql).await?;
    }
    sleep(open).await;
    transaction.commit().await
}

/// Statements that never change.
fn owned(statements: &[&str]) -> Vec<String> {
    statements.iter().map(|sql| (*sql).to_owned()).collect()
}

/// Applies a sites file.
async fn apply(round: u64, tools: Tools) -> Result<(), Failure> {
    let file = tools.folder.join(format!("sites-{round}.yaml"));
    tokio::fs::write(&file, changes::file(round, &tools.website)).await?;
    let [_, config, path] = tools.apply.run();
    let arguments = ["apply".as_ref(), file.as_os_str(), config, path];
    let applied = Process::run("scheduler", arguments, LIMIT).await;
    if applied.code == 0 {
        Ok(())
    } else {
        Err(applied.stderr.into())
    }
}

/// Puts tasks on the topic that were there already: some under their own key, some under another,
/// so that another checker gets them.
async fn repeat(mut random: Random, topic: Arc<Topic>) -> Result<(), Failure> {
    let repeating = spawn_blocking(move || {
        let mut messages = topic.try_messages(Offset::OffsetTail(NEWEST))?;
        let mut oldest = topic.try_messages(Offset::Beginning)?;
        oldest.truncate(OLDEST);
        messages.append(&mut oldest);
        random.shuffle(&mut messages);
        let keys: Vec<_> = messages
            .iter()
            .map(|_| random.below(64).to_string())
            .collect();
        let keys = keys.iter().map(String::as_str);
        topic.try_produce(keys.zip(messages.iter().map(Vec::as_slice)))
    });
    Ok(repeating.await??)
}
