//! Refresh of a session.

use kernel::{
    Core,
    audit::Change,
    caller::{By, Caller, RequestContext},
    crypto::sha256,
    error::{Code, Codes, Error, Result},
    ports::Credential,
};

use super::{
    limits::{LIFETIME, REUSE_GRACE},
    model::{Opened, Rotation},
    store,
    token::RefreshToken,
};

/// The codes of [`refresh`].
pub const REFRESH_ERRORS: Codes = &[&[Code::RefreshTokenInvalid]];

/// Rotates `token`: consumes it and issues the next one, in one statement, so that only one of two
/// concurrent requests does.
///
/// A token that was rotated before ends its session, whoever sends it: two parties have it, and
/// nobody can tell which of them stole it. But the same client may repeat itself for ten seconds,
/// since an answer can get lost; it gets another token beside the first.
///
/// # Errors
/// [`REFRESH_ERRORS`].
pub async fn refresh(core: &Core, token: &RefreshToken, request: &RequestContext) -> Result<Opened> {
    let (token, next, client) = (token.digest(), RefreshToken::generate(&core.ids), client(request));
    core.write(Caller::anonymous(request), async |unit| {
        let now = unit.now();
        let next_digest = next.digest();
        let rotation =
            Rotation { token: &token, next: &next_digest, client: &client, now, expires_at: now + LIFETIME };
        if let Some((user, session)) = store::rotate(unit, &rotation).await? {
            return Ok(Ok(Opened { user, session, refresh: next }));
        }
        let Some(rotated) = store::find_rotated(unit, &token).await?.filter(|rotated| rotated.lives) else {
            return Ok(Err(invalid()));
        };
        let (user, session) = (rotated.user_id, rotated.session_id);
        if rotated.rotated_by == client && rotated.rotated_at + REUSE_GRACE >= now {
            store::insert_token(unit, session, &next_digest, now, rotation.expires_at).await?;
            return Ok(Ok(Opened { user, session, refresh: next }));
        }
        store::revoke(unit, session, "a rotated refresh token came back", now).await?;
        unit.audit_by(By::anonymous_for(user), "session.token_reused", session, Change::NONE);
        unit.forget(Credential::Session(session));
        Ok(Err(invalid()))
    })
    .await?
}

fn invalid() -> Error {
    Error::new(
        Code::RefreshTokenInvalid,
        "The refresh token is unknown, expired, or was used before; log in again",
    )
}

/// Returns a digest that is the same for two requests of one client, as far as can be told.
fn client(request: &RequestContext) -> [u8; 32] {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    sha256(format!("{}\n{}", part(&request.address), part(&request.user_agent)).as_bytes())
}
