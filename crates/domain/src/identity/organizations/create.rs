//! Making an organisation.

use super::{MAX_OF_A_PERSON, Naming, Organization, store};
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::{Person, Role},
    db::Tx,
    error::{Code, Error, Result},
    idempotency::{self, Once},
    ids::UserId,
};

/// Makes an organisation, of which `by` becomes the owner.
///
/// # Errors
/// Values that break a rule; [`Code::LimitReached`]; those of an `Idempotency-Key`; those of the database.
pub async fn create(core: &Core, by: &Person, wanted: &Naming, once: Option<&Once>) -> Result<Organization> {
    wanted.check()?;
    let mut tx = core.db.begin(Caller::Entering(by.user)).await?;
    if let Some(first) = idempotency::claim(once, &mut tx, core).await? {
        return Ok(first);
    }
    let now = core.clock.now();
    let made = Organization {
        id: core.ids.next(),
        name: wanted.name.clone(),
        role: Role::Owner,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    room_for_one_more(&mut tx, by.user).await?;
    store::insert_organization(&mut tx, made.id, &made.name, now).await?;
    store::insert_membership(&mut tx, made.id, by.user, Role::Owner, now).await?;
    let by = By { organization: Some(made.id), ..By::from(by) };
    audit::record_change(&mut tx, core, by, "organization.created", &made.id.to_string(), (None, Some(&made))).await?;
    idempotency::keep(once, &mut tx, core, &made).await?;
    tx.commit().await?;
    Ok(made)
}

/// That the person may become a member of another organisation. Those that they enter at the same time wait for each other.
pub(super) async fn room_for_one_more(tx: &mut Tx, user: UserId) -> Result<()> {
    if store::count_of_person(tx, user).await? < MAX_OF_A_PERSON {
        return Ok(());
    }
    let detail = format!("A person can be a member of at most {MAX_OF_A_PERSON} organisations; leave one first");
    Err(Error::new(Code::LimitReached, detail))
}
