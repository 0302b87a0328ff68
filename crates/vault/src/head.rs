//! What a log is at one size: its checkpoint.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use tlog_tiles::Hash;
use utoipa::ToSchema;

use super::{Vault, read_store};
use kernel::{
    caller::{Permission, Principal},
    clock::Timestamp,
    crypto::base64,
    db::Caller,
    error::{Code, Error, Result},
    ids::{LogId, ProjectId},
};

/// A size that the log was committed at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Head {
    /// How many entries.
    pub size: u64,
    /// The root of their tree.
    pub root: Hash,
    /// When.
    pub at: Timestamp,
}

/// A log, as its project sees it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Log {
    /// Its identifier.
    pub log: LogId,
    /// Its name: the first line of its checkpoints.
    #[schema(max_length = 400, example = "api.example.com/v1/vault/logs/log_019aa3f0c1d27abc8def0123456789ab")]
    pub origin: String,
    /// How many entries it has.
    #[schema(minimum = 0)]
    pub size: u64,
    /// The root of its tree, in base64.
    #[schema(max_length = 44)]
    pub root: String,
    /// The signed checkpoint of that size (C2SP tlog-checkpoint); null for an empty log.
    #[schema(required = true, max_length = 16384)]
    pub checkpoint: Option<String>,
    /// The keys that sign its checkpoints (C2SP signed-note verifier keys). Keep a copy elsewhere: who trusts only this answer trusts the server.
    pub keys: Vec<String>,
    /// When the worker last rebuilt the log from its entries; null when it has not yet.
    #[schema(required = true)]
    pub checked_at: Option<DateTime<Utc>>,
    /// What was wrong with it then; null when nothing was.
    #[schema(required = true, max_length = 2048)]
    pub checked_finding: Option<String>,
}

/// The newest head; none of a log that has no entry.
pub(super) async fn newest(tx: &mut PgConnection, project: ProjectId) -> Result<Option<Head>> {
    read_store::head(tx, project, None).await
}

/// The head at a size that the log was committed at.
pub(super) async fn at(tx: &mut PgConnection, project: ProjectId, size: u64) -> Result<Head> {
    let head = read_store::head(tx, project, Some(size)).await?;
    head.ok_or_else(|| Error::internal(format!("the log was never committed at size {size}")))
}

/// The project's log as it now is.
///
/// # Errors
/// [`Code::PermissionMissing`]; those of the database.
pub async fn log(vault: &Vault, by: &Principal) -> Result<Log> {
    by.require(Permission::VaultRead)?;
    let mut tx = vault.core.db.begin(by.caller()).await?;
    let head = newest(&mut tx, by.project).await?;
    let checked = read_store::checked(&mut tx, by.project).await?;
    tx.commit().await?;
    let log = LogId::from(by.project);
    let checkpoint = head.map(|head| vault.sign(log, head.size, head.root)).transpose()?;
    let (checked_at, checked_finding) = checked.unwrap_or_default();
    Ok(Log {
        log,
        origin: vault.origin(log),
        size: head.map_or(0, |head| head.size),
        root: base64(&head.map_or(kernel::crypto::sha256(b""), |head| head.root.0)),
        checkpoint,
        keys: vault.verifiers(log),
        checked_at,
        checked_finding,
    })
}

/// The signed checkpoint of a log, for anybody; the meta-log's with the cosignatures that it has.
///
/// # Errors
/// [`Code::NotFound`] for a log without entries; those of the database.
pub async fn checkpoint(vault: &Vault, log: LogId) -> Result<String> {
    let mut tx = vault.core.db.begin(Caller::Project(log.project())).await?;
    let head = newest(&mut tx, log.project()).await?.ok_or_else(no_log)?;
    let cosigned = match log {
        LogId::META => read_store::cosignatures(&mut tx, log.project(), head.size).await?,
        _ => Vec::new(),
    };
    tx.commit().await?;
    vault.sign_with(log, head.size, head.root, &cosigned)
}

pub(super) fn no_log() -> Error {
    Error::new(Code::NotFound, "There is no log of that id, or it has no entry yet")
}
