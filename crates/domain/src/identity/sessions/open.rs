//! Opening a session.

use kernel::{Unit, audit::Change, caller::By, error::Result, ids::UserId};

use super::{limits::LIFETIME, model::Opened, store, token::RefreshToken};

/// Opens a session for a person who has just proved who they are. Its id is always a new one.
///
/// # Errors
/// [`Code::Unavailable`](kernel::Code::Unavailable).
pub(in crate::identity) async fn open(
    unit: &mut Unit<'_>,
    user: UserId,
    method: &'static str,
) -> Result<Opened> {
    let (ids, now, request) = (&unit.core().ids, unit.now(), unit.caller().request);
    let opened = Opened { user, session: ids.next(), refresh: RefreshToken::generate(ids) };
    store::insert(unit, &opened, method, request, now, now + LIFETIME).await?;
    unit.audit_by(By::person(user), "session.opened", opened.session, Change::NONE);
    Ok(opened)
}
