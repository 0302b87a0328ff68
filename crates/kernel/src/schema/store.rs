//! The SQL of sqlx's record of migrations.

use std::collections::HashMap;

use sqlx::PgConnection;

/// Returns the checksum of each applied migration, by its version; none where `api migrate` never
/// ran.
pub(super) async fn applied(connection: &mut PgConnection) -> sqlx::Result<HashMap<i64, Vec<u8>>> {
    let exists: bool = sqlx::query_scalar("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
        .fetch_one(&mut *connection)
        .await?;
    if !exists {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT version, checksum FROM _sqlx_migrations WHERE success")
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().collect())
}
