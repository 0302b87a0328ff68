//! Accepting an intent.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{DEFAULT_TTL_SECONDS, MAX_PAYLOAD, State, TTL_SECONDS, jobs::DeliverIntent, store};
use kernel::{
    Core, audit,
    caller::Signer,
    checks::Checks,
    clock::Timestamp,
    crypto::Did,
    error::{Code, Error, Result},
    idempotency::{self, Once},
    ids::{DeliveryId, IntentId},
    ports::Topic,
    queue::Enqueue,
};

/// What a sender asks to be delivered.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIntent {
    /// The recipient's DID, registered in the sender's project.
    #[schema(value_type = Did)]
    pub to: String,
    /// What kind of message it is, in the agents' own vocabulary.
    #[serde(rename = "type")]
    #[schema(min_length = 1, max_length = 128, pattern = "^[^\\u0000]*$", example = "translation.request")]
    pub kind: String,
    /// Any JSON, of at most 262,144 bytes. It is kept and handed over as it was sent.
    #[schema(value_type = serde_json::Value)]
    pub payload: Box<RawValue>,
    /// How long it may take to be acknowledged, in seconds, at most 7 days; a day when left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 604_800)]
    pub ttl_seconds: Option<i64>,
    /// The conversation it belongs to.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 128, pattern = "^[^\\u0000]*$")]
    pub correlation_id: Option<String>,
    /// Whom to answer, when not the sender.
    #[serde(default)]
    #[schema(value_type = Option<Did>)]
    pub reply_to: Option<String>,
}

/// That an intent is committed and will be delivered.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
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

/// An intent whose values were checked, ready for its row.
pub(super) struct Checked<'a> {
    pub(super) id: IntentId,
    pub(super) delivery: DeliveryId,
    pub(super) to: Did,
    pub(super) kind: &'a str,
    pub(super) body: &'a [u8],
    pub(super) correlation_id: Option<&'a str>,
    pub(super) reply_to: Option<Did>,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// Accepts the intent that an agent signed: intent, delivery, job, audit row and the spent nonce in one commit.
///
/// `body` is the request's body, byte for byte, that `wanted` was read from and the signature's digest is of. With `once`, asking again gets the
/// first answer.
///
/// # Errors
/// [`Code::SignatureCoverage`] when a secret is covered; fields that break a rule; [`Code::UnknownRecipient`]; [`Code::AgentUnknown`] when the sender was removed just now;
/// [`Code::NonceReplayed`]; those of [`Once`] and of the database. Nothing is written then.
pub async fn send(core: &Core, by: &Signer, wanted: &NewIntent, body: &[u8], once: Option<&Once>) -> Result<Accepted> {
    if by.proof.covers_secrets {
        let detail = "The recipient is handed what the signature covers: it must not cover `authorization` or `cookie`; name the project \
                      with the `Holdfast-Project` header";
        return Err(Error::new(Code::SignatureCoverage, detail));
    }
    let intent = check(core, wanted, body)?;
    let (mut tx, first) = by.begin_once(core, once).await?;
    if let Some(first) = first {
        return Ok(first);
    }
    let route = store::insert(&mut tx, by, &intent).await?;
    if !route.sender_lives {
        return Err(Error::new(Code::AgentUnknown, "The signing agent was removed"));
    }
    let Some(recipient) = route.recipient else {
        let detail = format!("no agent {} is registered in this project", intent.to);
        return Err(Error::field(Code::UnknownRecipient, "/to", detail));
    };
    let job = DeliverIntent { project: by.principal.project, delivery: intent.delivery };
    let traceparent = by.principal.request.traceparent.as_deref();
    Enqueue::at(intent.created_at).traceparent(traceparent).one(&mut tx, &job).await?;
    audit::record(&mut tx, core, &by.principal, "intent.accepted", &intent.id.to_string()).await?;
    let accepted = Accepted {
        id: intent.id,
        state: State::Accepted,
        created_at: intent.created_at,
        expires_at: intent.expires_at,
    };
    idempotency::keep(once, &mut tx, core, &accepted).await?;
    tx.commit().await?;

    core.wake_all([Topic::Inbox(recipient), Topic::Jobs]);
    Ok(accepted)
}

fn check<'a>(core: &Core, wanted: &'a NewIntent, body: &'a [u8]) -> Result<Checked<'a>> {
    let mut checks = Checks::new();
    let to = checks.keep("/to", Code::InvalidDid, wanted.to.parse::<Did>());
    let reply_to =
        wanted.reply_to.as_deref().and_then(|did| checks.keep("/reply_to", Code::InvalidDid, did.parse::<Did>()));
    checks.text("/type", &wanted.kind, 1..=128);
    checks.optional_text("/correlation_id", wanted.correlation_id.as_deref(), 1..=128);
    let payload = wanted.payload.get().len();
    if payload > MAX_PAYLOAD {
        checks.broken(
            Code::TooLong,
            "/payload",
            format!("may have at most {MAX_PAYLOAD} bytes of JSON, has {payload}"),
        );
    }
    let ttl = wanted.ttl_seconds.unwrap_or(DEFAULT_TTL_SECONDS.into());
    let ttl = u32::try_from(ttl).ok().filter(|ttl| TTL_SECONDS.contains(ttl));
    if ttl.is_none() {
        let detail = format!("must be {} to {} seconds", TTL_SECONDS.start(), TTL_SECONDS.end());
        checks.broken(Code::TtlOutOfRange, "/ttl_seconds", detail);
    }
    checks.finish()?;
    let (Some(to), Some(ttl)) = (to, ttl) else {
        return Err(Error::internal("a checked intent lacks its recipient or its time to live"));
    };
    let now = core.clock.now();
    Ok(Checked {
        id: core.ids.next(),
        delivery: core.ids.next(),
        to,
        kind: &wanted.kind,
        body,
        correlation_id: wanted.correlation_id.as_deref(),
        reply_to,
        created_at: now,
        expires_at: now + TimeDelta::seconds(ttl.into()),
    })
}
