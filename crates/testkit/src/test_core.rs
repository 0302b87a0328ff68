//! The core of use cases in tests, and a project to work in.

use kernel::{
    Clock, Core, Db, Ids,
    crypto::{Secrets, SecretsRing},
    ids::ProjectId,
};

/// Creates a core on the machine's clock, with a key of its own, that wakes nobody.
pub fn test_core(db: Db) -> Core {
    let clock = Clock::system();
    let secrets = Secrets::new(SecretsRing::generate(&Ids::new(clock.clone())));
    Core::new(db, clock, secrets)
}

/// Creates a project in an organization of its own.
///
/// # Errors
/// Fails when Postgres refuses it.
pub async fn project(core: &Core, name: &str) -> sqlx::Result<ProjectId> {
    let project: ProjectId = core.ids.next();
    sqlx::query(
        "WITH organization AS ( \
             INSERT INTO organizations (id, name, created_at, updated_at) \
             VALUES ($1, $2, $3, $3) RETURNING id \
         ) INSERT INTO projects (id, organization_id, name, created_at, updated_at) \
         SELECT $1, id, $2, $3, $3 FROM organization",
    )
    .bind(project)
    .bind(name)
    .bind(core.clock.now())
    .execute(core.db.pool())
    .await?;
    Ok(project)
}
