//! The question to the witnesses whether the vault was rolled back.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use kernel::error::Result;

use super::{
    ask::{Stance, ask},
    port::Witness,
};
use crate::{errors::log_behind, vault::Vault};

impl Vault {
    /// Asks all of `witnesses` at once whether they have seen more of the meta-log than the
    /// database holds, or something else, and lets this process sign or not. Waits for each up to
    /// `timeout`. A witness that is away neither forbids signing nor allows it again: the check is
    /// against accidents, and the vault must work with Postgres alone. Returns those that answered.
    ///
    /// # Errors
    /// [`Code::LogBehind`](kernel::Code::LogBehind);
    /// [`Code::Unavailable`](kernel::Code::Unavailable), and then it stays as it was.
    pub async fn check_rollback(
        &self,
        witnesses: &[Arc<dyn Witness>],
        timeout: Duration,
    ) -> Result<Vec<Arc<dyn Witness>>> {
        let asked =
            join_all(witnesses.iter().map(|witness| ask(self, witness.as_ref(), None, timeout))).await;
        let (mut reached, mut ahead, mut failed) = (Vec::new(), None, None);
        for (witness, answer) in witnesses.iter().zip(asked) {
            let name = witness.key().name();
            match answer {
                Ok(Stance::Ahead(why)) => ahead = Some(self.guard.found_behind(name, &why)),
                Ok(Stance::Away(why)) => {
                    let told = "a witness could not be asked whether the vault was rolled back";
                    tracing::warn!(witness = name, why, "{told}");
                }
                // A refusal for other reasons says nothing about a rollback.
                Ok(Stance::Cosigned { .. } | Stance::Refused(_)) => reached.push(Arc::clone(witness)),
                Err(error) => failed = Some(error),
            }
        }
        if let Some(error) = ahead.or(failed) {
            return Err(error);
        }
        if reached.len() < witnesses.len() && self.guard.is_behind() {
            return Err(log_behind());
        }
        self.guard.found_sound();
        Ok(reached)
    }
}
