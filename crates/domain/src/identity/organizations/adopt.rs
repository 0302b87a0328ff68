//! Adoption of an organization that was created without an owner.

use kernel::{
    Core, DbScope,
    audit::Change,
    caller::{By, Caller, Role},
    error::{Code, Error, Result},
    ids::{OrganizationId, ProjectId},
    ports::Credential,
};

use super::{create::require_room, members, store};
use crate::{identity::users, mail::Email};

/// Makes the account of that address the owner of the project's organization, which has no owner
/// yet. For the operator: no route calls it.
///
/// # Errors
/// `NotFound` when there is no such project, or no account of that address; `EmailUnverified`;
/// `Forbidden` when somebody owns it; `LimitReached`.
pub async fn adopt(core: &Core, project: ProjectId, email: &Email) -> Result<OrganizationId> {
    core.write(Caller::system(DbScope::PreAuth), async |unit| {
        let none = || Error::new(Code::NotFound, format!("There is no project {project}"));
        let organization = store::find_of_project(unit, project).await?.ok_or_else(none)?;
        let account = users::find_by_email(unit, &email.key()).await?.ok_or_else(|| {
            Error::new(Code::NotFound, format!("There is no account of {email}; sign up with it first"))
        })?;
        if account.email_verified_at.is_none() {
            let detail =
                format!("The address {email} is not verified; open the link that was mailed there first");
            return Err(Error::new(Code::EmailUnverified, detail));
        }
        // In the order in which they are locked elsewhere.
        require_room(unit, account.id).await?;
        store::lock(unit, organization).await?;
        if members::count_owners(unit, organization).await? > 0 {
            let detail = format!("{organization} already has an owner, who can invite others");
            return Err(Error::new(Code::Forbidden, detail));
        }
        let now = unit.now();
        store::insert_membership(unit, organization, account.id, Role::Owner, now).await?;
        let by = By { organization: Some(organization), user: Some(account.id), ..By::system() };
        unit.audit_by(by, "organization.adopted", account.id, Change::NONE);
        unit.forget(Credential::MembershipsOf(account.id));
        Ok(organization)
    })
    .await
}
