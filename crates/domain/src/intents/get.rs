//! Reads of intents.

use kernel::{
    Core,
    caller::{Actor, Authorized, allow},
    error::{Code, Codes, Error, Result},
    ids::IntentId,
    page::{Page, PageRequest},
};

use super::{
    model::{DeliveryRow, Intent, Summary},
    store,
};

/// The codes of [`get`].
pub const GET_ERRORS: Codes = &[&[Code::NotFound]];

/// Returns the intent to the project's keys and people, and to the two agents that it is from and
/// for. Other agents get `NotFound`.
///
/// # Errors
/// [`GET_ERRORS`].
pub async fn get(core: &Core, by: &Authorized<allow::IntentsRead>, id: IntentId) -> Result<Intent> {
    let row = core.read(by, async |tx| Ok(store::find_intent(tx, id).await?)).await?;
    let may_read = |row: &DeliveryRow| match by.actor {
        Actor::Agent(agent) => row.sender_id == agent || row.recipient_id == agent,
        _ => true,
    };
    match row.filter(may_read) {
        Some(row) => Ok(row.intent(core.clock.now())?),
        None => Err(Error::not_found(format!("intent {id}"))),
    }
}

/// The codes of [`list`].
pub const LIST_ERRORS: Codes = &[&[Code::Forbidden]];

/// Lists the project's intents, newest first, without their payloads. Agents are refused: they have
/// an inbox.
///
/// # Errors
/// [`LIST_ERRORS`].
pub async fn list(
    core: &Core,
    by: &Authorized<allow::IntentsRead>,
    page: PageRequest,
) -> Result<Page<Summary>> {
    if matches!(by.actor, Actor::Agent(_)) {
        let detail = "The project's intents are listed for its API keys and people; an agent polls its \
            inbox, and gets those it knows of by id";
        return Err(Error::new(Code::Forbidden, detail));
    }
    let rows =
        core.read(by, async |tx| Ok(store::list(tx, by.project, page.before, page.fetch()).await?)).await?;
    let now = core.clock.now();
    Ok(page.page(rows, |row| row.id.uuid()).map(|row| row.at(now)))
}
