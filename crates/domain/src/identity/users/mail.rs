//! What mails say.

use chrono::TimeDelta;
use url::Url;

use super::{jobs::SendMail, store};
use crate::mail::{Email, Mail};
use kernel::{
    Caller, Core,
    crypto::sha256,
    db::Tx,
    error::{Error, Result},
};

/// How long links are good for.
const VERIFY_FOR: TimeDelta = TimeDelta::hours(24);
const RESET_FOR: TimeDelta = TimeDelta::hours(1);
const INVITE_FOR: TimeDelta = TimeDelta::days(7);

/// The pages of the frontend that links lead to; each finds its token after `#token=`, where no server sees it.
pub const APP_PAGES: [&str; 3] = ["verify-email", "reset-password", "accept-invitation"];

/// What a mailed token allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::identity) enum Purpose {
    Verify,
    Reset,
    Invite,
}

impl Purpose {
    pub(in crate::identity) fn as_str(self) -> &'static str {
        match self {
            Purpose::Verify => "verify_email",
            Purpose::Reset => "reset_password",
            Purpose::Invite => "invitation",
        }
    }
}

/// The digest that a mailed token's row is found by; nothing for a text that cannot be one.
pub(in crate::identity) fn token_digest(text: &str) -> Option<[u8; 32]> {
    (text.len() <= 64 && text.starts_with(TOKEN)).then(|| sha256(text.as_bytes()))
}

const TOKEN: &str = "hfm_";

/// The mail of a job, with a token of its own that is written down here; nothing when there is nothing to send any more. Each attempt has its own
/// token: one that was lost with a failed attempt is never of use to anybody.
///
/// # Errors
/// Those of the database.
pub async fn prepare(core: &Core, job: &SendMail, app_url: &Url) -> Result<Option<Mail>> {
    let mut tx = core.db.begin(Caller::Worker).await?;
    let mail = compose(&mut tx, core, job, app_url).await?;
    tx.commit().await?;
    Ok(mail)
}

async fn compose(tx: &mut Tx, core: &Core, job: &SendMail, app_url: &Url) -> Result<Option<Mail>> {
    let account = match job {
        SendMail::SignUp { email } | SendMail::VerifyEmail { email } | SendMail::ResetPassword { email } => {
            store::find_by_email(tx, &email.key()).await?
        }
        SendMail::PasswordChanged { user } => store::find_by_id(tx, *user).await?,
        SendMail::Invitation { invitation } => {
            let Some(open) = store::find_open_invitation(tx, *invitation, core.clock.now()).await? else {
                return Ok(None);
            };
            let link = link(tx, core, app_url, Purpose::Invite, Whose::Invitation(*invitation), INVITE_FOR).await?;
            let text = format!(
                "{} invites you to join {} as {}.\n\nOpen this link within 7 days, and log in or sign up with this address:\n\n{link}\n\n\
                 If you do not know them, do nothing.\n",
                one_line(&open.inviter),
                one_line(&open.organization),
                open.role.replace('_', " "),
            );
            return Ok(Some(mail(open.email, format!("Join {}", one_line(&open.organization)), text)));
        }
    };
    let Some(account) = account else { return Ok(None) };
    let whose = Whose::User(account.id);
    let verified = account.email_verified_at.is_some();
    Ok(match job {
        SendMail::SignUp { .. } if verified => Some(mail(
            account.email,
            "You have an account already".to_owned(),
            "Somebody, perhaps you, signed up with your address. It has an account already, which was not changed.\n\n\
             Log in with it; if you forgot the password, ask for a new one there.\n\nIf it was not you, do nothing.\n"
                .to_owned(),
        )),
        SendMail::SignUp { .. } | SendMail::VerifyEmail { .. } if !verified => {
            let link = link(tx, core, app_url, Purpose::Verify, whose, VERIFY_FOR).await?;
            let text = format!(
                "Open this link within 24 hours to verify your address:\n\n{link}\n\nIf you did not sign up, do nothing: without you the account \
                 stays closed.\n"
            );
            Some(mail(account.email, "Verify your address".to_owned(), text))
        }
        SendMail::ResetPassword { .. } => {
            let link = link(tx, core, app_url, Purpose::Reset, whose, RESET_FOR).await?;
            let text = format!(
                "Open this link within an hour to choose a new password:\n\n{link}\n\nIf you did not ask for it, do nothing: your password stays \
                 as it is.\n"
            );
            Some(mail(account.email, "Choose a new password".to_owned(), text))
        }
        SendMail::PasswordChanged { .. } => Some(mail(
            account.email,
            "Your password was changed".to_owned(),
            "The password of your account was changed, and the other places where you were logged in were logged out.\n\nIf it was not you, choose \
             a new one at once: \"forgot password\" sends you a link.\n"
                .to_owned(),
        )),
        _ => None,
    })
}

fn mail(to: Email, subject: String, text: String) -> Mail {
    Mail { to, subject, text }
}

/// Names come from people: a line of theirs must not look like one of ours, nor become a header.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[derive(Clone, Copy)]
pub(super) enum Whose {
    User(kernel::ids::UserId),
    Invitation(kernel::ids::InvitationId),
}

/// Makes a token, writes its digest down, and puts it after the `#` of a page's address: no server is sent it by following the link.
async fn link(
    tx: &mut Tx,
    core: &Core,
    app_url: &Url,
    purpose: Purpose,
    whose: Whose,
    good_for: TimeDelta,
) -> Result<String> {
    let token = format!("{TOKEN}{}", bs58::encode(core.ids.bytes::<32>()).into_string());
    let now = core.clock.now();
    store::insert_token(tx, &sha256(token.as_bytes()), purpose.as_str(), whose, now, now + good_for).await?;
    let page = match purpose {
        Purpose::Verify => APP_PAGES[0],
        Purpose::Reset => APP_PAGES[1],
        Purpose::Invite => APP_PAGES[2],
    };
    let mut url = app_url.join(page).map_err(Error::internal)?;
    url.set_fragment(Some(&format!("token={token}")));
    Ok(url.into())
}
