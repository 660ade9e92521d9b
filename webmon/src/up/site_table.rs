//! What the table of sites says now, for what `webmon up` shows.
//!
//! Nothing is kept of a site: a row may be renamed, moved, switched off or removed at any time. The names
//! of the sites in a few lines are read when these are shown, and the ids of all sites when the sites have
//! changed.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use contract::site::parse_url;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbErr};
use store::Link;
use store::site::look_up;
use tokio::time::timeout;

/// How long an answer may take. Then the lines are shown without it.
const LIMIT: Duration = Duration::from_secs(2);

/// The table of sites.
#[derive(Debug)]
pub(super) struct SiteTable {
    /// The connection to it.
    database: Link,
    /// What identified the sites when they were last read.
    signature: Option<(i64, Option<i64>)>,
}

/// What a line says of its site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Known {
    /// `site.name`.
    pub(super) name: String,
    /// The port of `site.url`.
    pub(super) port: Option<u16>,
}

impl SiteTable {
    /// A table that was not asked yet.
    pub(super) const fn new(database: Link) -> Self {
        Self {
            database,
            signature: None,
        }
    }

    /// Those of the sites that are checked; `None` without an answer.
    pub(super) async fn look_up(&mut self, ids: Vec<i64>) -> Option<HashMap<i64, Known>> {
        if ids.is_empty() {
            return Some(HashMap::new());
        }
        let asking = timeout(LIMIT, rows_of(&mut self.database, ids)).await;
        let rows = self.answer(asking.ok())?;
        let known = rows.into_iter().map(|(id, name, url)| {
            let url = parse_url(&url).ok();
            let port = url.and_then(|url| url.port_or_known_default());
            (id, Known { name, port })
        });
        Some(known.collect())
    }

    /// The sites that are checked; `None` without an answer, or unless they have changed since this was last
    /// asked. `anew`: in any case.
    pub(super) async fn enabled(&mut self, anew: bool) -> Option<HashSet<i64>> {
        let known = self.signature.filter(|_| !anew);
        let asking = timeout(LIMIT, ids(&mut self.database, known)).await;
        let (signature, ids) = self.answer(asking.ok())??;
        self.signature = Some(signature);
        Some(ids.into_iter().collect())
    }

    /// An answer; a connection without one is given up.
    fn answer<T>(&mut self, answer: Option<Result<T, DbErr>>) -> Option<T> {
        let answer = answer.and_then(Result::ok);
        if answer.is_none() {
            self.database.cut();
        }
        answer
    }
}

/// Id, name and URL of those of the sites that are checked.
async fn rows_of(database: &mut Link, ids: Vec<i64>) -> Result<Vec<(i64, String, String)>, DbErr> {
    let database = open(database).await?;
    look_up::enabled_among(database, ids).await
}

/// What identifies the sites that are checked, and their ids.
type Sites = ((i64, Option<i64>), Vec<i64>);

/// The sites that are checked, unless they are the ones that `known` identifies.
async fn ids(
    database: &mut Link,
    known: Option<(i64, Option<i64>)>,
) -> Result<Option<Sites>, DbErr> {
    let database = open(database).await?;
    let ask = async |statement| {
        let row = database.query_one_raw(statement);
        row.await?
            .ok_or_else(|| DbErr::RecordNotFound("an aggregate has a row".to_owned()))
    };
    let row = ask(look_up::enabled_signature()).await?;
    let signature = (row.try_get("", "sites")?, row.try_get("", "ids")?);
    if known == Some(signature) {
        return Ok(None);
    }
    let ids = ask(look_up::enabled_ids()).await?.try_get("", "ids")?;
    Ok(Some((signature, ids)))
}

/// The connection. A database that cannot be reached is a failed question.
async fn open(database: &mut Link) -> Result<&DatabaseConnection, DbErr> {
    let opened = database.get().await;
    opened.map_err(|error| DbErr::Custom(error.to_string()))
}
