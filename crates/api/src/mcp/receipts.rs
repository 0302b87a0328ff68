//! `vault_receipt` and `vault_verify`: prove a seal, and check a proof.

use kernel::{Error, Result, caller::allow};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::call::Call;
use crate::state::AppState;

/// The seal to prove.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReceiptArguments {
    /// The seal's place in the log, as vault_seal and vault_query name it.
    #[schema(minimum = 0)]
    index: u64,
}

/// A receipt.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReceiptResult {
    /// The seal's place in the log.
    #[schema(minimum = 0)]
    index: u64,
    /// The receipt's text (C2SP tlog-proof), to be kept and passed on as it is.
    receipt: String,
}

/// A receipt to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct VerifyArguments {
    /// The receipt's text (C2SP tlog-proof), unchanged.
    #[schema(max_length = 262_144)]
    receipt: String,
}

/// Proves a seal.
pub(super) async fn receipt(state: &AppState, call: &Call) -> Result<Value> {
    let by = call.caller::<allow::VaultRead>()?;
    let ReceiptArguments { index } = call.arguments()?;
    let receipt = vault::receipt(&state.vault, &by, index).await?;
    serde_json::to_value(ReceiptResult { index, receipt }).map_err(Error::internal)
}

/// Checks a receipt.
pub(super) fn verify(state: &AppState, call: &Call) -> Result<Value> {
    let VerifyArguments { receipt } = call.arguments()?;
    serde_json::to_value(vault::verify(&state.vault, &receipt)?).map_err(Error::internal)
}
