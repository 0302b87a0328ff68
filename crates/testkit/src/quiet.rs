//! What use cases are handed, where nobody waits to be woken; and a project to work in.

use std::sync::Arc;

use kernel::{Clock, Core, Db, Ids, ids::ProjectId, ports::NoWake};

/// On the machine's clock, with hints to nobody.
pub fn core(db: Db) -> Core {
    let clock = Clock::system();
    Core { db, ids: Ids::new(clock.clone()), clock, wake: Arc::new(NoWake) }
}

/// A project of an organization of its own.
///
/// # Errors
/// Those of the database.
pub async fn project(core: &Core, name: &str) -> sqlx::Result<ProjectId> {
    let project: ProjectId = core.ids.next();
    sqlx::query(
        "WITH organization AS ( \
             INSERT INTO organizations (id, name, created_at, updated_at) VALUES ($1, $2, $3, $3) RETURNING id \
         ) INSERT INTO projects (id, organization_id, name, created_at, updated_at) SELECT $1, id, $2, $3, $3 FROM organization",
    )
    .bind(project)
    .bind(name)
    .bind(core.clock.now())
    .execute(core.db.pool())
    .await?;
    Ok(project)
}
