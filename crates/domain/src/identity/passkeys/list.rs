//! Listing a person's passkeys.

use kernel::{
    Core,
    caller::Person,
    error::Result,
    page::{Page, PageRequest},
};

use super::{model::Passkey, store};

/// Lists the person's passkeys, newest first.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn list(core: &Core, by: &Person, page: PageRequest) -> Result<Page<Passkey>> {
    let passkeys =
        core.read(by, async |tx| Ok(store::list(tx, by.user, page.before, page.fetch()).await?)).await?;
    Ok(page.page(passkeys, |passkey| passkey.id.uuid()))
}
