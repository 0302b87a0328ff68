//! `api bootstrap` and `api adopt`: beginning without an account, and getting one afterwards.

use std::{process::ExitCode, sync::Arc};

use domain::{identity, mail::Email};
use kernel::{Clock, Core, Ids, ids::ProjectId};

use crate::config::Config;

/// Makes a project and prints its key: the only time that anybody sees it.
pub(super) async fn bootstrap(config: &Config, name: &str) -> anyhow::Result<ExitCode> {
    let core = core(config);
    let environment = config.dependencies.environment.to_string();
    let (project, key) = identity::bootstrap(&core, name, &environment).await?;
    super::tell(
        &mut std::io::stdout(),
        &format!("project {project}\napi key {}\nThe key is not kept: store it now.", key.reveal()),
    );
    Ok(ExitCode::SUCCESS)
}

/// Gives the project's organisation an owner.
pub(super) async fn adopt(config: &Config, project: ProjectId, email: &Email) -> anyhow::Result<ExitCode> {
    let organization = identity::organizations::adopt(&core(config), project, email).await?;
    super::tell(&mut std::io::stdout(), &format!("{email} owns {organization}, the organisation of {project}"));
    Ok(ExitCode::SUCCESS)
}

fn core(config: &Config) -> Core {
    let clock = Clock::system();
    Core {
        db: config.dependencies.database(),
        ids: Ids::new(clock.clone()),
        clock,
        wake: Arc::new(kernel::ports::NoWake),
    }
}
