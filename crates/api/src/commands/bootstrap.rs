//! `api bootstrap` and `api adopt`: starting without an account, and getting one later.

use std::process::ExitCode;

use domain::{identity, mail::Email};
use kernel::{Clock, Core, ids::ProjectId};

use super::print::print;
use crate::config::Config;

/// Creates a project and prints its key, which is shown only this once.
pub(super) async fn bootstrap(config: &Config, name: &str) -> anyhow::Result<ExitCode> {
    let core = core(config);
    let environment = config.dependencies.environment.to_string();
    let (project, key) = identity::bootstrap(&core, name, &environment).await?;
    print(&format!("project {project}\napi key {}\nThe key is not kept: store it now.", key.reveal()));
    Ok(ExitCode::SUCCESS)
}

/// Gives the project's organization an owner.
pub(super) async fn adopt(config: &Config, project: ProjectId, email: &Email) -> anyhow::Result<ExitCode> {
    let organization = identity::organizations::adopt(&core(config), project, email).await?;
    print(&format!("{email} owns {organization}, the organization of {project}"));
    Ok(ExitCode::SUCCESS)
}

fn core(config: &Config) -> Core {
    Core::new(config.dependencies.database(), Clock::system(), config.dependencies.secrets())
}
