//! Reading intents.

use super::{Intent, Summary, store};
use kernel::{
    Core,
    caller::{Actor, Permission, Principal},
    error::{Code, Error, Result},
    ids::IntentId,
    page::{Page, PageRequest},
};

/// The intent, for the project's keys and people; of the agents, for the one that sent it and the one it is for. For anybody else there is none.
///
/// # Errors
/// [`Code::PermissionMissing`]; [`Code::NotFound`]; those of the database.
pub async fn get(core: &Core, by: &Principal, id: IntentId) -> Result<Intent> {
    by.require(Permission::IntentsRead)?;
    let mut tx = core.db.begin(by.caller()).await?;
    let row = store::find_intent(&mut tx, id).await?;
    tx.commit().await?;
    let may_read = |row: &super::delivery::Row| match by.actor {
        Actor::Agent(agent) => row.sender_id == agent || row.recipient_id == agent,
        _ => true,
    };
    match row.filter(may_read) {
        Some(row) => Ok(row.intent(core.clock.now())?),
        None => Err(Error::not_found(format!("intent {id}"))),
    }
}

/// The project's intents, newest first, without what they say.
///
/// # Errors
/// [`Code::PermissionMissing`]; [`Code::Forbidden`] for an agent, which has its inbox; those of the database.
pub async fn list(core: &Core, by: &Principal, page: PageRequest) -> Result<Page<Summary>> {
    by.require(Permission::IntentsRead)?;
    if matches!(by.actor, Actor::Agent(_)) {
        let detail = "The project's intents are listed for its API keys and people; an agent polls its inbox, and gets those it knows of by id";
        return Err(Error::new(Code::Forbidden, detail));
    }
    let mut tx = core.db.begin(by.caller()).await?;
    let rows = store::list(&mut tx, by.project, page.before, page.fetch()).await?;
    tx.commit().await?;
    let now = core.clock.now();
    Ok(page.page(rows, |row| row.id.uuid()).map(|row| row.at(now)))
}
