//! Forgetting a subject: key, salts and ciphertexts are destroyed, and that they were is sealed, in one commit. Every receipt verifies as before.

use super::{
    Appended, Vault, Verdict,
    append::{self, Kept},
    entry::Draft,
    json,
    ledger::Ledger,
    store,
};
use kernel::{
    audit,
    caller::{Permission, Principal},
    error::{Error, Result},
    idempotency::{self, Once},
};

/// Erases the personal data of `subject`.
///
/// # Errors
/// [`Code::NotFound`](kernel::Code::NotFound) when there is none; [`Code::PermissionMissing`](kernel::Code::PermissionMissing);
/// [`Code::Overloaded`](kernel::Code::Overloaded) when too many wait for the log; those of [`Once`] and of the database.
pub async fn erase(vault: &Vault, by: &Principal, subject: &str, once: Option<&Once>) -> Result<Appended> {
    by.require(Permission::VaultErase)?;
    let nothing = || Error::not_found("subject of that name with personal data in the vault");
    if subject.contains('\0') {
        return Err(nothing());
    }
    let _turn = vault.turns.take(by.project).await?;
    let mut tx = vault.core.db.begin(by.caller()).await?;
    if let Some(first) = idempotency::claim::<Kept>(once, &mut tx, &vault.core).await? {
        drop(tx);
        return append::again(vault, by.project, first).await;
    }
    // The lock first: a seal about the subject is either erased here, or made after, under a key of its own.
    let mut ledger = Ledger::lock(&mut tx, vault, by.project).await?;
    let seals = store::erase(&mut tx, subject).await?.ok_or_else(nothing)?;
    let payload = json::canonical(&serde_json::json!({"seals": seals}))?;
    let about = (None, Some(subject.to_owned()));
    let draft = Draft::own(by.actor, "subject.erased", Verdict::Seal, about, &payload)?;
    let placed = ledger.push(&draft)?;
    let written = ledger.write(&mut tx).await?;
    audit::record(&mut tx, &vault.core, by, "subject.erased", subject).await?;
    idempotency::keep(once, &mut tx, &vault.core, &Kept::of(&placed, &written)).await?;
    append::commit(vault, tx, &written).await?;
    append::signed(vault, by.project, &written, vec![placed])
}
