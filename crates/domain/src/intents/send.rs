//! Acceptance of an intent.

use chrono::TimeDelta;
use kernel::{
    Core,
    answer::Answer,
    audit::Change,
    caller::{Authorized, Signer, allow},
    checks::{Checks, TEXT_ERRORS},
    crypto::Did,
    error::{Code, Codes, Error, Result},
    ports::Topic,
};

use super::{
    jobs::DeliverIntent,
    limits::{DEFAULT_TTL_SECONDS, MAX_PAYLOAD, TTL_SECONDS},
    model::{Accepted, CheckedIntent, NewIntent, State},
    store,
};

/// The codes of [`send`].
pub const SEND_ERRORS: Codes = &[
    TEXT_ERRORS,
    &[Code::InvalidDid, Code::TtlOutOfRange, Code::UnknownRecipient],
    // The signature covers a secret.
    &[Code::SignatureCoverage],
    // The sender was removed just now.
    &[Code::AgentUnknown],
];

/// Accepts the intent that an agent signed. `body` is the request's body, byte for byte: `wanted`
/// was read from it, and the signature covers its digest.
///
/// # Errors
/// [`SEND_ERRORS`].
pub async fn send(
    core: &Core,
    by: &Authorized<allow::IntentsWrite, Signer>,
    wanted: &NewIntent,
    body: &[u8],
) -> Result<Answer<Accepted>> {
    if by.proof.covers_secrets {
        let detail = "The recipient is handed what the signature covers: it must not cover `authorization` \
            or `cookie`; name the project with the `Holdfast-Project` header";
        return Err(Error::new(Code::SignatureCoverage, detail));
    }
    let intent = check(core, wanted, body)?;
    core.write_once(by, async |unit| {
        let route = store::insert(unit, by, &intent).await?;
        if !route.sender_lives {
            return Err(Error::new(Code::AgentUnknown, "The signing agent was removed"));
        }
        let Some(recipient) = route.recipient else {
            let detail = format!("no agent {} is registered in this project", intent.to);
            return Err(Error::field(Code::UnknownRecipient, "/to", detail));
        };
        unit.enqueue(&DeliverIntent { project: by.principal.project, delivery: intent.delivery })?;
        unit.wake(Topic::Inbox(recipient));
        unit.audit("intent.accepted", intent.id, Change::NONE);
        Answer::accepted(&Accepted {
            id: intent.id,
            state: State::Accepted,
            created_at: intent.created_at,
            expires_at: intent.expires_at,
        })
    })
    .await
}

fn check<'a>(core: &Core, wanted: &'a NewIntent, body: &'a [u8]) -> Result<CheckedIntent<'a>> {
    let mut checks = Checks::new();
    let to = checks.keep("/to", Code::InvalidDid, wanted.to.parse::<Did>());
    if let Some(did) = &wanted.reply_to {
        checks.keep("/reply_to", Code::InvalidDid, did.parse::<Did>());
    }
    checks.text("/type", &wanted.kind, 1..=128);
    checks.optional_text("/correlation_id", wanted.correlation_id.as_deref(), 1..=128);
    let payload = wanted.payload.get().len();
    if payload > MAX_PAYLOAD {
        let detail = format!("may have at most {MAX_PAYLOAD} bytes of JSON, has {payload}");
        checks.broken(Code::TooLong, "/payload", detail);
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
    Ok(CheckedIntent {
        id: core.ids.next(),
        delivery: core.ids.next(),
        to,
        kind: &wanted.kind,
        body,
        correlation_id: wanted.correlation_id.as_deref(),
        created_at: now,
        expires_at: now + TimeDelta::seconds(ttl.into()),
    })
}
