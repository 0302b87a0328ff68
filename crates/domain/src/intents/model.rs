//! Intents and deliveries, on the wire and in their rows.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use kernel::{
    answer::Resource,
    clock::Timestamp,
    crypto::{Did, PublicKey},
    ids::{AgentId, DeliveryId, IntentId, LeaseToken},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::FromRow;
use utoipa::ToSchema;

/// The state of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type, ToSchema)]
#[serde(rename_all = "snake_case")]
#[sqlx(type_name = "text", rename_all = "snake_case")]
pub enum State {
    /// Committed; nobody holds it.
    Accepted,
    /// The recipient, or the worker that pushes to it, holds it.
    Leased,
    /// The recipient has it.
    Acked,
    /// Its time to live ended first.
    Expired,
    /// The recipient failed on it too often, or was removed.
    Dead,
}

/// The intent that a sender wants delivered.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIntent {
    /// The recipient's DID, registered in the sender's project.
    #[schema(value_type = Did)]
    pub to: String,
    /// The kind of message, in the agents' own vocabulary.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 128, pattern = "^[^\\u0000]*$", example = "translation.request")]
    pub kind: String,
    /// Any JSON, of at most 262,144 bytes. It is stored and delivered as it was sent.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// The time to be acknowledged within, in seconds, at most 7 days; a day when left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 604_800)]
    pub ttl_seconds: Option<i64>,
    /// The conversation it belongs to.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128, pattern = "^[^\\u0000]*$")]
    pub correlation_id: Option<String>,
    /// The agent to answer, when not the sender.
    #[serde(default)]
    #[schema(value_type = Option<Did>)]
    pub reply_to: Option<String>,
}

/// An intent that is committed and will be delivered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Accepted {
    /// Its identifier.
    pub id: IntentId,
    /// `accepted`.
    pub state: State,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it expires unless it is acknowledged before.
    pub expires_at: DateTime<Utc>,
}

impl Resource for Accepted {
    const LOCATED: bool = true;

    fn location(&self) -> Option<String> {
        Some(format!("/v1/intents/{}", self.id))
    }
}

/// An intent, and the state of its delivery.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Intent {
    /// Its identifier.
    pub id: IntentId,
    /// The sender.
    pub from: Did,
    /// The recipient.
    pub to: Did,
    /// The kind of message, in the agents' own vocabulary.
    #[serde(rename = "type")]
    pub kind: String,
    /// The sender's JSON, as it was sent.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// The conversation it belongs to.
    #[schema(required = true)]
    pub correlation_id: Option<String>,
    /// The agent to answer, when not the sender.
    #[schema(required = true)]
    pub reply_to: Option<Did>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it expires unless it is acknowledged before.
    pub expires_at: DateTime<Utc>,
    /// Its state.
    pub state: State,
    /// The number of times that it was leased or pushed.
    pub attempts: i32,
    /// When it was acknowledged, expired or marked dead.
    #[schema(required = true)]
    pub settled_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, where one did.
    #[schema(required = true)]
    pub last_error: Option<String>,
}

/// The sender's signature, with which the recipient can check the sender itself (RFC 9421, section
/// 3.2): `signature` must verify over `signature_base` under `public_key`, the SHA-256 of `body`
/// must be the base's `content-digest`, and a `did:key` sender is its key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Envelope {
    /// The body of the sender's request, base64.
    pub body: String,
    /// The text that was signed.
    pub signature_base: String,
    /// The Ed25519 signature, base64.
    pub signature: String,
    /// The sender's key, base64url.
    pub public_key: PublicKey,
}

/// An intent on its way to its recipient.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Delivery {
    /// Its identifier; the same at every attempt.
    pub id: DeliveryId,
    /// The number of this attempt, from 1.
    pub attempt: i32,
    /// The intent.
    pub intent: Intent,
    /// The proof of who sent it.
    pub envelope: Envelope,
}

/// A delivery, and the right to settle it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Lease {
    /// The token that proves the right; each lease has another.
    pub lease_token: LeaseToken,
    /// When the right ends, and the delivery may be leased again.
    pub lease_expires_at: DateTime<Utc>,
    /// The delivery.
    #[serde(flatten)]
    pub delivery: Delivery,
}

/// A delivery, and the token of the lease by which it is to be settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseClaim {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The token.
    pub token: LeaseToken,
}

/// An intent in a list, without its payload.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
#[schema(as = IntentSummary)]
pub struct Summary {
    /// Its identifier.
    pub id: IntentId,
    /// The sender.
    #[sqlx(rename = "sender")]
    pub from: Did,
    /// The recipient.
    #[sqlx(rename = "recipient")]
    pub to: Did,
    /// The kind of message, in the agents' own vocabulary.
    #[serde(rename = "type")]
    #[sqlx(rename = "type")]
    pub kind: String,
    /// The conversation it belongs to.
    #[schema(required = true)]
    pub correlation_id: Option<String>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it expires unless it is acknowledged before.
    pub expires_at: DateTime<Utc>,
    /// Its state.
    pub state: State,
    /// The number of times that it was leased or pushed.
    pub attempts: i32,
    /// When it was acknowledged, expired or marked dead.
    #[schema(required = true)]
    pub settled_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, where one did.
    #[schema(required = true)]
    pub last_error: Option<String>,
    /// The end of its lease or delay.
    #[serde(skip)]
    visible_at: Timestamp,
}

impl Summary {
    /// Returns it as it is at `now`.
    pub(super) fn at(mut self, now: Timestamp) -> Self {
        self.state = state_at(self.state, self.visible_at, self.expires_at, now);
        if self.state == State::Expired {
            self.settled_at = self.settled_at.or(Some(self.expires_at));
        }
        self
    }
}

/// Returns the state at `now`: an intent whose time is over is expired even before the sweep has
/// recorded it, unless a lease still runs.
fn state_at(stored: State, visible_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> State {
    match stored {
        State::Leased if visible_at > now => State::Leased,
        State::Accepted | State::Leased if expires_at <= now => State::Expired,
        other => other,
    }
}

/// An intent whose values were checked, ready for its row.
pub(super) struct CheckedIntent<'a> {
    pub(super) id: IntentId,
    pub(super) delivery: DeliveryId,
    pub(super) to: Did,
    pub(super) kind: &'a str,
    pub(super) body: &'a [u8],
    pub(super) correlation_id: Option<&'a str>,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// A delivery joined with its intent and the agents at both ends.
#[derive(FromRow)]
pub(super) struct DeliveryRow {
    pub(super) id: DeliveryId,
    intent_id: IntentId,
    pub(super) sender_id: AgentId,
    pub(super) recipient_id: AgentId,
    sender: Did,
    recipient: Did,
    #[sqlx(rename = "type")]
    kind: String,
    body: Vec<u8>,
    correlation_id: Option<String>,
    signature_base: String,
    signature: Vec<u8>,
    public_key: Vec<u8>,
    pub(super) traceparent: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    state: State,
    attempts: i32,
    visible_at: Timestamp,
    settled_at: Option<Timestamp>,
    last_error: Option<String>,
}

impl DeliveryRow {
    /// Returns the intent as it is at `now`.
    pub(super) fn intent(&self, now: Timestamp) -> sqlx::Result<Intent> {
        /// The parts of the body that are read again; the rest is in columns.
        #[derive(Deserialize)]
        struct Body {
            payload: Box<RawValue>,
            #[serde(default)]
            reply_to: Option<Did>,
        }
        let body: Body = serde_json::from_slice(&self.body).map_err(sqlx::Error::decode)?;
        let state = state_at(self.state, self.visible_at, self.expires_at, now);
        let expired_unswept = state == State::Expired && self.settled_at.is_none();
        Ok(Intent {
            id: self.intent_id,
            from: self.sender.clone(),
            to: self.recipient.clone(),
            kind: self.kind.clone(),
            payload: body.payload,
            correlation_id: self.correlation_id.clone(),
            reply_to: body.reply_to,
            created_at: self.created_at,
            expires_at: self.expires_at,
            state,
            attempts: self.attempts,
            settled_at: if expired_unswept { Some(self.expires_at) } else { self.settled_at },
            last_error: self.last_error.clone(),
        })
    }

    /// Returns the delivery as the recipient gets it.
    pub(super) fn delivery(&self, now: Timestamp) -> sqlx::Result<Delivery> {
        Ok(Delivery {
            id: self.id,
            attempt: self.attempts,
            intent: self.intent(now)?,
            envelope: Envelope {
                body: STANDARD.encode(&self.body),
                signature_base: self.signature_base.clone(),
                signature: STANDARD.encode(&self.signature),
                public_key: PublicKey::from_bytes(&self.public_key).map_err(sqlx::Error::decode)?,
            },
        })
    }
}

/// A delivery as the worker finds it.
#[derive(FromRow)]
pub(super) struct PendingRow {
    pub(super) state: State,
    pub(super) visible_at: Timestamp,
    pub(super) expires_at: Timestamp,
    pub(super) recipient: AgentId,
    pub(super) endpoint: Option<String>,
    pub(super) is_removed: bool,
}
