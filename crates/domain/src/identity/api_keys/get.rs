//! Reading API keys.

use kernel::{
    Core,
    caller::{Authorized, allow},
    error::{Code, Codes, Result},
    ids::ApiKeyId,
    page::{Page, PageRequest},
};

use super::{model::Key, rules::unknown, store};

/// The codes of [`get`].
pub const GET_ERRORS: Codes = &[&[Code::NotFound]];

/// Returns the key, unless it was revoked.
///
/// # Errors
/// [`GET_ERRORS`].
pub async fn get(core: &Core, by: &Authorized<allow::KeysRead>, id: ApiKeyId) -> Result<Key> {
    core.read(by, async |tx| store::find(tx, by.project, id).await?.ok_or_else(unknown)).await
}

/// Lists the project's keys that were not revoked, newest first.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn list(core: &Core, by: &Authorized<allow::KeysRead>, page: PageRequest) -> Result<Page<Key>> {
    let found =
        core.read(by, async |tx| Ok(store::list(tx, by.project, page.before, page.fetch()).await?)).await?;
    Ok(page.page(found, |key| key.id.uuid()))
}
