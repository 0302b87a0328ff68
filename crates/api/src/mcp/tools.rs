//! The tools: what a model is told of each, and which use case it calls.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use kernel::{
    Code, Error, Result,
    page::{Page, PageQuery},
};
use rmcp::model::{JsonObject, Tool as Told, ToolAnnotations};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;
use vault::{self, Filter, Seal, Verdict, Verification};

use super::{
    schema,
    seal::{SealArguments, seal},
    server::Asked,
};
use crate::{extract, routes::vault::Sealed, state::AppState};

/// The most seals that one page shows a model.
const MAX_SEALS: u16 = 50;
const DEFAULT_SEALS: u16 = 20;

/// A tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
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
    /// Every tool there is.
    pub const ALL: [Tool; 4] = [Tool::Seal, Tool::Query, Tool::Receipt, Tool::Verify];

    /// The tool of that name.
    pub fn called(name: &str) -> Option<Self> {
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
            Tool::Seal => {
                "Appends one record to the project's tamper-evident log: a decision you made, an action you took or refuse, a fact to be \
                 provable later. Use it once what is recorded is settled, or with the verdict HOLD before acting on what a person must \
                 approve. It cannot be undone or changed; a mistake is corrected by a further seal with the verdict VOID. Comes back after it \
                 is committed: `index`, the seal's place in the log, with the signed checkpoint and the proof that the seal is in it. Takes \
                 the permission vault:write."
            }
            Tool::Query => {
                "Finds seals of the project's log, newest first: those that all filters given want, or the newest when none is given. Use it \
                 to see what was recorded or decided before, in this session or in others. Comes back: `data`, up to `limit` seals with what \
                 they record, and `next_cursor`, to be passed as `cursor` for older ones; null when there are none. Personal data is never \
                 shown. Takes the permission vault:read."
            }
            Tool::Receipt => {
                "Gets the receipt of one seal, by its `index`: a text that proves, offline and to anybody who knows the log's keys, that the \
                 seal is in the log (C2SP tlog-proof). Use it when somebody must be able to check a seal without trusting this service. Pass \
                 the text on unchanged, line breaks included. Takes the permission vault:read."
            }
            Tool::Verify => {
                "Checks a receipt, as vault_receipt gives it, of any log of this service. Use it before relying on a receipt that somebody \
                 handed you. Comes back: `valid`; and when it is not, `flaw` and `detail` say the first thing that is wrong. The answer is as \
                 good as this server: who trusts nobody checks receipts with a tool of their own. Takes no permission."
            }
        }
    }

    /// What a model is told.
    pub fn told(self) -> Told {
        let (input, output) = self.schemas();
        let hints = ToolAnnotations::new().read_only(self != Tool::Seal).open_world(false);
        let hints = if self == Tool::Seal { hints.destructive(false).idempotent(false) } else { hints };
        Told::new(self.name(), self.description(), input)
            .with_title(self.title())
            .with_raw_output_schema(output)
            .with_annotations(hints)
    }

    fn schemas(self) -> (Arc<JsonObject>, Arc<JsonObject>) {
        match self {
            Tool::Seal => (schema::of::<SealArguments>(), schema::of::<Sealed>()),
            Tool::Query => (schema::of::<QueryArguments>(), schema::of::<Found>()),
            Tool::Receipt => (schema::of::<ReceiptArguments>(), schema::of::<ReceiptText>()),
            Tool::Verify => (schema::of::<VerifyArguments>(), schema::of::<Verification>()),
        }
    }

    /// Does what was asked.
    ///
    /// # Errors
    /// Arguments that break a rule; those of the use case.
    pub async fn call(self, state: &AppState, asked: &Asked) -> Result<Value> {
        match self {
            Tool::Seal => json(&seal(state, asked, arguments(asked)?).await?),
            Tool::Query => json(&query(state, asked, arguments(asked)?).await?),
            Tool::Receipt => {
                let ReceiptArguments { index } = arguments(asked)?;
                let receipt = vault::receipt_of(&state.vault, &asked.principal, index).await?;
                json(&ReceiptText { index, receipt })
            }
            Tool::Verify => {
                let VerifyArguments { receipt } = arguments(asked)?;
                json(&vault::verify(&state.vault, &receipt)?)
            }
        }
    }
}

fn arguments<T: DeserializeOwned>(asked: &Asked) -> Result<T> {
    extract::read("`arguments`", asked.arguments().as_bytes())
}

fn json<T: Serialize>(answer: &T) -> Result<Value> {
    serde_json::to_value(answer).map_err(Error::internal)
}

/// [`Filter`] and [`PageQuery`].
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct QueryArguments {
    /// Of this kind.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    kind: Option<String>,
    /// With this verdict.
    #[serde(default)]
    verdict: Option<Verdict>,
    /// Sealed by this agent (`agt_…`), API key (`key_…`) or person (`usr_…`), or by `system`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    actor: Option<String>,
    /// Of this conversation or run.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    session_id: Option<String>,
    /// About this subject.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128)]
    subject: Option<String>,
    /// With this tag.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 64)]
    tag: Option<String>,
    /// Sealed then or later, RFC 3339.
    #[serde(default)]
    from: Option<DateTime<Utc>>,
    /// Sealed before then, RFC 3339.
    #[serde(default)]
    to: Option<DateTime<Utc>>,
    /// How many seals at most; 20 when left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 50)]
    limit: Option<u16>,
    /// `next_cursor` of the page before, with the same filters.
    #[serde(default)]
    #[schema(max_length = 22)]
    cursor: Option<String>,
}

/// A [`Page`] of seals.
#[derive(Debug, Serialize, ToSchema)]
struct Found {
    /// The seals, newest first.
    data: Vec<Seal>,
    /// The `cursor` of the next page; null on the last.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

async fn query(state: &AppState, asked: &Asked, arguments: QueryArguments) -> Result<Found> {
    let QueryArguments { kind, verdict, actor, session_id, subject, tag, from, to, limit, cursor } = arguments;
    let limit = limit.unwrap_or(DEFAULT_SEALS);
    if !(1..=MAX_SEALS).contains(&limit) {
        return Err(Error::field(Code::OutOfRange, "/limit", format!("must be 1 to {MAX_SEALS}, was {limit}")));
    }
    let page = PageQuery { limit: Some(limit), cursor }.try_into()?;
    let filter = Filter { kind, verdict, actor, session_id, subject, tag, from, to };
    let Page { data, next_cursor } = vault::list(&state.vault, &asked.principal, &filter, page).await?;
    Ok(Found { data, next_cursor })
}

/// Which seal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReceiptArguments {
    /// The seal's place in the log, as vault_seal and vault_query name it.
    #[schema(minimum = 0)]
    index: u64,
}

/// A receipt.
#[derive(Debug, Serialize, ToSchema)]
struct ReceiptText {
    /// The seal's place in the log.
    #[schema(minimum = 0)]
    index: u64,
    /// The receipt's text (C2SP tlog-proof), to be kept and passed on as it is.
    receipt: String,
}

/// A receipt to check.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct VerifyArguments {
    /// The receipt's text (C2SP tlog-proof), unchanged.
    #[schema(max_length = 262_144)]
    receipt: String,
}
