//! Keeping a session alive.

use super::{GRACE, LIFETIME, Opened, RefreshToken, store};
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::RequestContext,
    crypto::sha256,
    error::{Code, Error, Result},
};

/// Spends `token` and hands out the next one, in one statement: of two who bring it at once, one does.
///
/// A token that was spent before ends its session, whoever brings it: it is with two, and which of them stole it cannot be told. But the same client
/// may repeat itself for ten seconds, since an answer can get lost; it is handed another token beside the first.
///
/// # Errors
/// [`Code::RefreshTokenInvalid`]; those of the database.
pub async fn refresh(core: &Core, token: &RefreshToken, request: &RequestContext) -> Result<Opened> {
    let now = core.clock.now();
    let next = RefreshToken::generate(&core.ids);
    let client = client(request);
    let mut tx = core.db.begin(Caller::Door).await?;
    let spend =
        store::Spend { token: &token.digest(), next: &next.digest(), client: &client, now, until: now + LIFETIME };
    if let Some((user, session)) = store::spend(&mut tx, &spend).await? {
        tx.commit().await?;
        return Ok(Opened { user, session, refresh: next });
    }
    let Some(spent) = store::find_spent(&mut tx, spend.token).await? else {
        return Err(invalid());
    };
    if !spent.lives {
        return Err(invalid());
    }
    if spent.spent_by == client && spent.spent_at + GRACE >= now {
        store::insert_token(&mut tx, spent.session, spend.next, now, spend.until).await?;
        tx.commit().await?;
        return Ok(Opened { user: spent.user, session: spent.session, refresh: next });
    }
    store::revoke(&mut tx, spent.session, "a spent refresh token came back", now).await?;
    let by = By::stranger(spent.user, request);
    audit::record(&mut tx, core, by, "session.token_reused", &spent.session.to_string()).await?;
    tx.commit().await?;
    Err(invalid())
}

fn invalid() -> Error {
    Error::new(Code::RefreshTokenInvalid, "The refresh token is unknown, expired, or was used before; log in again")
}

/// What makes two requests come from the same client, as far as can be told.
fn client(request: &RequestContext) -> [u8; 32] {
    let part = |part: &Option<String>| part.clone().unwrap_or_default();
    sha256(format!("{}\n{}", part(&request.address), part(&request.user_agent)).as_bytes())
}
