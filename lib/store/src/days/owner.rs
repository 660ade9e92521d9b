//! The owner of `check_result`. A session becomes it for what no right on a table allows.

use sea_orm::Statement;
use sea_orm::sqlx::{self, PgConnection, query_scalar};

use crate::sql::statement;

/// The owner, as SQL writes it; none if the session may do all that the owner may, or may not become it.
const OWNER: &str = "\
SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class
WHERE oid = 'check_result'::regclass AND pg_has_role(relowner, 'MEMBER') AND NOT pg_has_role(relowner, 'USAGE')";

/// Reads the owner, as SQL writes it; no row if the session may do all that the owner may, or may not become it.
pub fn find() -> Statement {
    statement(OWNER, [])
}

/// The same, of a session past sea-orm.
pub async fn find_in(session: &mut PgConnection) -> Result<Option<String>, sqlx::Error> {
    query_scalar(OWNER).fetch_optional(session).await
}

/// Makes a transaction the `owner`'s.
pub fn of_transaction(owner: &str) -> String {
    format!("SET LOCAL ROLE {owner}")
}

/// Makes a session the `owner`'s.
pub fn of_session(owner: &str) -> String {
    format!("SET ROLE {owner}")
}
