//! The list of a person's sessions.

use kernel::{
    Core,
    caller::Person,
    error::Result,
    page::{Page, PageRequest},
};

use super::{model::Session, store};

/// Lists the person's live sessions, newest first.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn list(core: &Core, by: &Person, page: PageRequest) -> Result<Page<Session>> {
    let now = core.clock.now();
    let sessions =
        core.read(by, async |tx| Ok(store::list(tx, by.user, now, page.before, page.fetch()).await?)).await?;
    let mark = |session: Session| Session { current: session.id == by.session, ..session };
    Ok(page.page(sessions, |session| session.id.uuid()).map(mark))
}
