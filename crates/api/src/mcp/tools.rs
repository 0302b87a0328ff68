//! The tools: the description of each for a model, and the use case that it calls.

use std::sync::Arc;

use kernel::Result;
use rmcp::model::{JsonObject, Tool as ToolDescription, ToolAnnotations};
use serde_json::Value;
use vault::{Sealed, Verification};

use super::{
    call::Call,
    query::{QueryArguments, QueryResult, query},
    receipts::{ReceiptArguments, ReceiptResult, VerifyArguments, receipt, verify},
    schema,
    seal::{SealArguments, seal},
    words,
};
use crate::state::AppState;

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    /// Appends a seal.
    Seal,
    /// Finds seals.
    Query,
    /// Proves a seal.
    Receipt,
    /// Checks a proof.
    Verify,
}

impl Tool {
    /// Every tool.
    pub(super) const ALL: [Tool; 4] = [Tool::Seal, Tool::Query, Tool::Receipt, Tool::Verify];

    /// Returns the tool with that name.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.name() == name)
    }

    fn name(self) -> &'static str {
        match self {
            Tool::Seal => "vault_seal",
            Tool::Query => "vault_query",
            Tool::Receipt => "vault_receipt",
            Tool::Verify => "vault_verify",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Tool::Seal => "Seal a record",
            Tool::Query => "Find seals",
            Tool::Receipt => "Get a seal's receipt",
            Tool::Verify => "Check a receipt",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Tool::Seal => words::SEAL,
            Tool::Query => words::QUERY,
            Tool::Receipt => words::RECEIPT,
            Tool::Verify => words::VERIFY,
        }
    }

    /// Describes the tool to a model.
    pub(super) fn describe(self) -> ToolDescription {
        let (input, output) = self.schemas();
        let hints = ToolAnnotations::new().read_only(self != Tool::Seal).open_world(false);
        let hints = if self == Tool::Seal { hints.destructive(false).idempotent(false) } else { hints };
        ToolDescription::new(self.name(), self.description(), input)
            .with_title(self.title())
            .with_raw_output_schema(output)
            .with_annotations(hints)
    }

    fn schemas(self) -> (Arc<JsonObject>, Arc<JsonObject>) {
        match self {
            Tool::Seal => (schema::of::<SealArguments>(), schema::of::<Sealed>()),
            Tool::Query => (schema::of::<QueryArguments>(), schema::of::<QueryResult>()),
            Tool::Receipt => (schema::of::<ReceiptArguments>(), schema::of::<ReceiptResult>()),
            Tool::Verify => (schema::of::<VerifyArguments>(), schema::of::<Verification>()),
        }
    }

    /// Calls the use case.
    ///
    /// # Errors
    /// The codes of arguments that break a rule, and those of the use case.
    pub(super) async fn call(self, state: &AppState, call: &Call) -> Result<Value> {
        match self {
            Tool::Seal => seal(state, call).await,
            Tool::Query => query(state, call).await,
            Tool::Receipt => receipt(state, call).await,
            Tool::Verify => verify(state, call),
        }
    }
}
