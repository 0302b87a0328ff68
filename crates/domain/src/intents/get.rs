//! Reading an intent's state.

use super::{Intent, store};
use crate::{
    Core,
    error::{Error, Result},
    identity::Principal,
    ids::{AgentId, IntentId},
};

/// The intent, for the agent that sent it or the one it is for; for anybody else there is none.
///
/// # Errors
/// [`Code::NotFound`](crate::Code::NotFound); those of the database.
pub async fn get(core: &Core, by: &Principal, reader: AgentId, id: IntentId) -> Result<Intent> {
    let mut tx = core.db.begin(by.caller()).await?;
    let row = store::find_intent(&mut tx, id).await?;
    tx.commit().await?;
    match row.filter(|row| row.sender_id == reader || row.recipient_id == reader) {
        Some(row) => Ok(row.intent(core.clock.now())?),
        None => Err(Error::not_found(format!("intent {id}"))),
    }
}
