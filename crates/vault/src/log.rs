//! Logs, and their checkpoints.

use kernel::{
    DbScope,
    caller::{Authorized, Caller, allow},
    crypto::{base64, sha256},
    error::{Code, Codes, Result},
    ids::LogId,
};

use crate::{
    errors::{SIGN_ERRORS, no_log},
    model::Log,
    store,
    vault::Vault,
};

/// The codes of [`log`].
pub const LOG_ERRORS: Codes = &[SIGN_ERRORS];
/// The codes of [`checkpoint`].
pub const CHECKPOINT_ERRORS: Codes = &[SIGN_ERRORS, &[Code::NotFound]];

/// Returns the project's log as it is now.
///
/// # Errors
/// [`LOG_ERRORS`].
pub async fn log(vault: &Vault, by: &Authorized<allow::VaultRead>) -> Result<Log> {
    let read = vault.core.read(by, async |tx| {
        let head = store::heads::newest(tx, by.project).await?;
        Ok((head, store::heads::last_check(tx, by.project).await?.unwrap_or_default()))
    });
    let (head, checked) = read.await?;
    let log = LogId::from(by.project);
    let checkpoint = head.map(|head| vault.sign(log, head.size, head.root)).transpose()?;
    Ok(Log {
        log,
        origin: vault.origin(log),
        size: head.map_or(0, |head| head.size),
        root: base64(&head.map_or(sha256(b""), |head| head.root.0)),
        checkpoint,
        keys: vault.verifiers(log),
        checked_at: checked.at,
        checked_finding: checked.finding,
    })
}

/// Returns the signed checkpoint of a log, for anybody; the meta-log's with the cosignatures that
/// it has.
///
/// # Errors
/// [`CHECKPOINT_ERRORS`]: `NotFound` for a log without entries.
pub async fn checkpoint(vault: &Vault, log: LogId) -> Result<String> {
    let project = log.project();
    let anybody = Caller::system(DbScope::Project(project));
    let read = vault.core.read(anybody, async |tx| {
        let head = store::heads::newest(tx, project).await?.ok_or_else(no_log)?;
        let cosigned = match log {
            LogId::META => store::cosignatures::lines(tx, project, head.size).await?,
            _ => Vec::new(),
        };
        Ok((head, cosigned))
    });
    let (head, cosigned) = read.await?;
    vault.sign_with(log, head.size, head.root, &cosigned)
}
