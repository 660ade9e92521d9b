//! A database of a test's own in the server of `WEBMON_TEST_DATABASE_URL`.
//!
//! Each is migrated from nothing, which takes less than making a template safe would save.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use migration::Migrator;
use sea_orm::{ConnectOptions, ConnectionTrait, DatabaseConnection, DbErr};
use sea_orm_migration::MigratorTrait;
use tokio::runtime;
use url::Url;

/// The variable that names the server.
const VARIABLE: &str = "WEBMON_TEST_DATABASE_URL";

/// Numbers the databases of this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A database of its own; it is dropped with this value, also while programs are connected.
#[derive(Debug)]
pub struct Database {
    /// A database of the server in which others can be made and dropped.
    server: Url,
    /// Its name in the server.
    name: String,
    /// Its address.
    url: Url,
    /// Roles of the server that are dropped with it.
    roles: Mutex<Vec<String>>,
}

impl Database {
    /// A database without any table.
    ///
    /// # Panics
    ///
    /// If `WEBMON_TEST_DATABASE_URL` is not set, or its user cannot make databases there.
    pub async fn empty() -> Self {
        let server: Url = crate::service(VARIABLE)
            .parse()
            .expect("WEBMON_TEST_DATABASE_URL is not a URL");
        let name = unique_name();
        // template0, as others may be connected to template1, and PostgreSQL copies no such database
        let sql = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
        execute(&server, &sql)
            .await
            .expect("no database can be made by WEBMON_TEST_DATABASE_URL");
        let mut url = server.clone();
        url.set_path(&name);
        let roles = Mutex::default();
        Self {
            server,
            name,
            url,
            roles,
        }
    }

    /// A database without any table, which belongs to an ordinary role: [`Database::url`] is that role's.
    ///
    /// # Panics
    ///
    /// As [`Database::empty`], or if no role can be made.
    pub async fn owned() -> Self {
        let mut database = Self::empty().await;
        let owner = database.make_login("").await;
        let sql = format!("ALTER DATABASE {} OWNER TO {owner}", database.name);
        execute(&database.server, &sql)
            .await
            .expect("the database cannot be given away");
        database.url = database.url_of(&owner);
        database
    }

    /// The same, at the newest schema, and the roles of the services have their rights.
    ///
    /// # Panics
    ///
    /// As [`Database::owned`], or if the rights cannot be granted.
    pub async fn granted() -> Self {
        let database = Self::owned().await;
        migrate(database.url()).await;
        let superuser = connect(&database.superuser()).await;
        let granted = migration::grant(&superuser).await;
        granted.expect("the rights cannot be granted");
        database
    }

    /// The address for a new role that may log in; `options` are more of `CREATE ROLE`.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub async fn login(&self, options: &str) -> String {
        let role = self.make_login(options).await;
        self.url_of(&role).into()
    }

    /// The address for the server's superuser.
    pub fn superuser(&self) -> String {
        self.url_of(self.server.username()).into()
    }

    /// Makes a role that may log in.
    async fn make_login(&self, options: &str) -> String {
        let role = unique_name();
        let sql = format!("CREATE ROLE {role} LOGIN {options}");
        execute(&self.server, &sql).await.expect(&sql);
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        roles.push(role.clone());
        role
    }

    /// The address for a role.
    fn url_of(&self, role: &str) -> Url {
        let mut url = self.server.clone();
        url.set_path(&self.name);
        url.set_username(role).expect("an address with a host");
        url
    }

    /// A database at the newest schema.
    ///
    /// # Panics
    ///
    /// As [`Database::empty`], or if a migration fails.
    pub async fn migrated() -> Self {
        let database = Self::empty().await;
        migrate(database.url()).await;
        database
    }

    /// A copy of it as `PostgreSQL` makes one. Nothing may be connected to the original.
    ///
    /// # Panics
    ///
    /// As [`Database::empty`], or if something is connected.
    pub async fn copy(&self) -> Self {
        let name = unique_name();
        let sql = format!("CREATE DATABASE {name} TEMPLATE {}", self.name);
        execute(&self.server, &sql)
            .await
            .expect("the database cannot be copied");
        let mut url = self.server.clone();
        url.set_path(&name);
        let server = self.server.clone();
        let roles = Mutex::default();
        Self {
            server,
            name,
            url,
            roles,
        }
    }

    /// Its address, `postgres://…`.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// A new pool of connections to it.
    ///
    /// # Panics
    ///
    /// If it does not answer.
    pub async fn connect(&self) -> DatabaseConnection {
        connect(self.url()).await
    }
}

impl Drop for Database {
    /// Drops the database from a thread of its own, as the test's runtime may be busy or gone. What
    /// fails here is left behind, rather than hiding why the test failed.
    fn drop(&mut self) {
        let server = self.server.clone();
        let mut statements = vec![format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            self.name
        )];
        let roles = self.roles.get_mut().unwrap_or_else(PoisonError::into_inner);
        statements.extend(roles.iter().map(|role| format!("DROP ROLE {role}")));
        let dropping = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build();
            let drop_them = async {
                for sql in statements {
                    drop(execute(&server, &sql).await);
                }
            };
            runtime.map(|runtime| runtime.block_on(drop_them))
        });
        drop(dropping.join());
    }
}

/// Brings the database at this address to the newest schema.
///
/// # Panics
///
/// If it does not answer, or a migration fails.
pub async fn migrate(url: &str) {
    let connection = connect(url).await;
    Migrator::up(&connection, None)
        .await
        .expect("the migrations failed");
    connection
        .close()
        .await
        .expect("the connection of the migrations did not close");
}

/// A name that no other test has, in this process, another, or an earlier one.
fn unique_name() -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is set before 1970");
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("webmon_test_{}_{}_{number}", now.as_micros(), process::id())
}

/// A pool of connections that logs no statements.
///
/// # Panics
///
/// If the database at this address does not answer.
pub(crate) async fn connect(url: &str) -> DatabaseConnection {
    let connected = try_connect(url).await;
    connected.expect("the test's database does not answer")
}

/// The same, of a server that may be away.
async fn try_connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options.sqlx_logging(false);
    sea_orm::Database::connect(options).await
}

/// Runs one statement on a connection of its own.
async fn execute(url: &Url, sql: &str) -> Result<(), DbErr> {
    let connection = try_connect(url.as_str()).await?;
    connection.execute_unprepared(sql).await?;
    connection.close().await
}
