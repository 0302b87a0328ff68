//! Giving an owner to an organisation that was made without anybody.

use super::{create::room_for_one_more, members, store};
use crate::{identity::users, mail::Email};
use kernel::{
    Caller, Core,
    audit::{self, By},
    caller::{Actor, RequestContext, Role},
    error::{Code, Error, Result},
    ids::{OrganizationId, ProjectId},
};

/// Makes the account of that address the owner of the project's organisation, which nobody owns yet. For the operator: no route leads here.
///
/// # Errors
/// [`Code::NotFound`] when there is no such project, or no account of that address; [`Code::EmailUnverified`]; [`Code::Forbidden`] when somebody owns it;
/// [`Code::LimitReached`]; those of the database.
pub async fn adopt(core: &Core, project: ProjectId, email: &Email) -> Result<OrganizationId> {
    let mut tx = core.db.begin(Caller::Door).await?;
    let none = || Error::new(Code::NotFound, format!("There is no project {project}"));
    let organization = store::organization_of(&mut tx, project).await?.ok_or_else(none)?;
    let account = users::store::find_by_email(&mut tx, &email.key())
        .await?
        .ok_or_else(|| Error::new(Code::NotFound, format!("There is no account of {email}; sign up with it first")))?;
    if account.email_verified_at.is_none() {
        let detail = format!("The address {email} is not verified; open the link that was mailed there first");
        return Err(Error::new(Code::EmailUnverified, detail));
    }
    // In the order in which they are locked elsewhere.
    room_for_one_more(&mut tx, account.id).await?;
    store::lock(&mut tx, organization).await?;
    if members::store::count_owners(&mut tx, organization).await? > 0 {
        let detail = format!("{organization} has an owner already, who can invite others");
        return Err(Error::new(Code::Forbidden, detail));
    }
    store::insert_membership(&mut tx, organization, account.id, Role::Owner, core.clock.now()).await?;
    let request = RequestContext::default();
    let by = By { actor: Actor::System, organization: Some(organization), ..By::stranger(account.id, &request) };
    audit::record(&mut tx, core, by, "organization.adopted", &account.id.to_string()).await?;
    tx.commit().await?;
    Ok(organization)
}
