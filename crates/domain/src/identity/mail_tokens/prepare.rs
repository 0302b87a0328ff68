//! Writing of a mail when it is sent.

use kernel::{
    Core, DbScope, Unit,
    caller::{Caller, RequestContext},
    crypto::sha256,
    error::Result,
    ids::InvitationId,
};
use url::Url;

use super::{
    jobs::SendMail,
    model::{Purpose, TokenOwner},
    store, token,
};
use crate::{
    identity::users,
    mail::{AccountExists, Invitation, Mail, PasswordChanged, ResetPassword, VerifyEmail},
};

/// Writes the mail of a job, with a token of its own; returns `None` when there is nothing left to
/// send. Each attempt has its own token, so a token that was lost with a failed attempt stays
/// unused.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub async fn prepare(
    core: &Core,
    job: &SendMail,
    app_url: &Url,
    request: &RequestContext,
) -> Result<Option<Mail>> {
    core.write(Caller::job(DbScope::Worker, request), async |unit| match job {
        SendMail::Invitation { invitation } => compose_invitation(unit, *invitation, app_url).await,
        _ => compose(unit, job, app_url).await,
    })
    .await
}

async fn compose_invitation(unit: &mut Unit<'_>, id: InvitationId, app_url: &Url) -> Result<Option<Mail>> {
    let now = unit.now();
    let Some(open) = store::find_open_invitation(unit, id, now).await? else { return Ok(None) };
    let link = link(unit, app_url, Purpose::Invitation, TokenOwner::Invitation(id)).await?;
    let text = Invitation::new(&open.inviter, &open.organization, &open.role, link);
    Mail::new(open.email, &text).map(Some)
}

async fn compose(unit: &mut Unit<'_>, job: &SendMail, app_url: &Url) -> Result<Option<Mail>> {
    let account = match job {
        SendMail::SignUp { email } | SendMail::VerifyEmail { email } | SendMail::ResetPassword { email } => {
            users::find_by_email(unit, &email.key()).await?
        }
        SendMail::PasswordChanged { user } => users::find_by_id(unit, *user).await?,
        SendMail::Invitation { .. } => None,
    };
    let Some(account) = account else { return Ok(None) };
    let owner = TokenOwner::User(account.id);
    let verified = account.email_verified_at.is_some();
    let mail = match job {
        SendMail::SignUp { .. } if verified => Mail::new(account.email, &AccountExists)?,
        SendMail::SignUp { .. } | SendMail::VerifyEmail { .. } if !verified => {
            let link = link(unit, app_url, Purpose::VerifyEmail, owner).await?;
            Mail::new(account.email, &VerifyEmail { link })?
        }
        SendMail::ResetPassword { .. } => {
            let link = link(unit, app_url, Purpose::ResetPassword, owner).await?;
            Mail::new(account.email, &ResetPassword { link })?
        }
        SendMail::PasswordChanged { .. } => Mail::new(account.email, &PasswordChanged)?,
        SendMail::SignUp { .. } | SendMail::VerifyEmail { .. } | SendMail::Invitation { .. } => {
            return Ok(None);
        }
    };
    Ok(Some(mail))
}

/// Generates a token, stores its digest, and returns the link that carries it.
async fn link(unit: &mut Unit<'_>, app_url: &Url, purpose: Purpose, owner: TokenOwner) -> Result<String> {
    let token = token::generate(&unit.core().ids);
    let now = unit.now();
    store::insert_token(unit, &sha256(token.as_bytes()), purpose, owner, now).await?;
    purpose.page().link(app_url, &token)
}
