//! What sender and recipient see of an intent.

use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::FromRow;
use utoipa::ToSchema;

use kernel::{
    clock::Timestamp,
    crypto::{Did, PublicKey},
    ids::{AgentId, DeliveryId, IntentId},
};

/// Where an intent stands.
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
    /// Given up: the recipient failed on it too often, or was removed.
    Dead,
}

/// An intent, and how its delivery stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Intent {
    /// Its identifier.
    pub id: IntentId,
    /// The sender.
    pub from: Did,
    /// The recipient.
    pub to: Did,
    /// What kind of message it is, in the agents' own vocabulary.
    #[serde(rename = "type")]
    pub kind: String,
    /// The sender's JSON, as it was sent.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// The conversation it belongs to.
    #[schema(required = true)]
    pub correlation_id: Option<String>,
    /// Whom to answer, when not the sender.
    #[schema(required = true)]
    pub reply_to: Option<Did>,
    /// When it was accepted.
    pub created_at: DateTime<Utc>,
    /// When it expires unless it is acknowledged before.
    pub expires_at: DateTime<Utc>,
    /// Where it stands.
    pub state: State,
    /// How often it was leased or pushed.
    pub attempts: i32,
    /// When it was acknowledged, expired or given up.
    #[schema(required = true)]
    pub settled_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, where one did.
    #[schema(required = true)]
    pub last_error: Option<String>,
}

/// The sender's signature, with which the recipient can check the sender itself (RFC 9421, section 3.2): `signature` must verify over
/// `signature_base` under `public_key`, the SHA-256 of `body` must be the base's `content-digest`, and a `did:key` sender is its key.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Envelope {
    /// The body of the sender's request, base64.
    pub body: String,
    /// What was signed.
    pub signature_base: String,
    /// The Ed25519 signature, base64.
    pub signature: String,
    /// The sender's key, base64url.
    pub public_key: PublicKey,
}

/// An intent in its recipient's hands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Delivery {
    /// Its identifier; the same at every attempt.
    pub id: DeliveryId,
    /// Which attempt this is, from 1.
    pub attempt: i32,
    /// The intent.
    pub intent: Intent,
    /// The proof of who sent it.
    pub envelope: Envelope,
}

/// An intent in a list: how its delivery stands, and not what it says.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
#[schema(as = IntentSummary)]
pub struct Summary {
    /// Its identifier.
    pub id: IntentId,
    /// The sender.
    #[sqlx(rename = "sender_did")]
    pub from: Did,
    /// The recipient.
    #[sqlx(rename = "recipient_did")]
    pub to: Did,
    /// What kind of message it is, in the agents' own vocabulary.
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
    /// Where it stands.
    pub state: State,
    /// How often it was leased or pushed.
    pub attempts: i32,
    /// When it was acknowledged, expired or given up.
    #[schema(required = true)]
    pub settled_at: Option<DateTime<Utc>>,
    /// Why the last attempt failed, where one did.
    #[schema(required = true)]
    pub last_error: Option<String>,
    /// Until when it is leased or put off.
    #[serde(skip)]
    visible_at: Timestamp,
}

impl Summary {
    /// As it stands at `now`.
    pub(super) fn at(mut self, now: Timestamp) -> Self {
        self.state = state_at(self.state, self.visible_at, self.expires_at, now);
        if self.state == State::Expired {
            self.settled_at = self.settled_at.or(Some(self.expires_at));
        }
        self
    }
}

/// An intent whose time is over is expired even before the sweep has said so; a lease that runs is let run.
fn state_at(stored: State, visible_at: Timestamp, expires_at: Timestamp, now: Timestamp) -> State {
    match stored {
        State::Leased if visible_at > now => State::Leased,
        State::Accepted | State::Leased if expires_at <= now => State::Expired,
        other => other,
    }
}

/// A delivery joined with its intent.
#[derive(FromRow)]
pub(super) struct Row {
    pub(super) id: DeliveryId,
    pub(super) intent_id: IntentId,
    pub(super) sender_id: AgentId,
    pub(super) recipient_id: AgentId,
    sender_did: Did,
    recipient_did: Did,
    #[sqlx(rename = "type")]
    kind: String,
    body: Vec<u8>,
    correlation_id: Option<String>,
    reply_to: Option<Did>,
    signature_base: String,
    signature: Vec<u8>,
    public_key: Vec<u8>,
    pub(super) traceparent: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    pub(super) state: State,
    pub(super) attempts: i32,
    visible_at: Timestamp,
    settled_at: Option<Timestamp>,
    last_error: Option<String>,
}

impl Row {
    /// The state at `now`.
    pub(super) fn state_at(&self, now: Timestamp) -> State {
        state_at(self.state, self.visible_at, self.expires_at, now)
    }

    pub(super) fn intent(&self, now: Timestamp) -> sqlx::Result<Intent> {
        /// Only the payload is read again: the rest stands in columns.
        #[derive(Deserialize)]
        struct Body {
            payload: Box<RawValue>,
        }
        let body: Body = serde_json::from_slice(&self.body).map_err(sqlx::Error::decode)?;
        let state = self.state_at(now);
        let expired_unswept = state == State::Expired && self.settled_at.is_none();
        Ok(Intent {
            id: self.intent_id,
            from: self.sender_did.clone(),
            to: self.recipient_did.clone(),
            kind: self.kind.clone(),
            payload: body.payload,
            correlation_id: self.correlation_id.clone(),
            reply_to: self.reply_to.clone(),
            created_at: self.created_at,
            expires_at: self.expires_at,
            state,
            attempts: self.attempts,
            settled_at: if expired_unswept { Some(self.expires_at) } else { self.settled_at },
            last_error: self.last_error.clone(),
        })
    }

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
