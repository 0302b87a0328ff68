//! `api bootstrap`.

use std::{process::ExitCode, sync::Arc};

use domain::{Clock, Core, Ids, identity};

use crate::config::Config;

/// Makes a project and prints its key: the only time that anybody sees it.
pub(super) async fn bootstrap(config: &Config, name: &str) -> anyhow::Result<ExitCode> {
    let clock = Clock::system();
    let core = Core {
        db: config.dependencies.database(),
        ids: Ids::new(clock.clone()),
        clock,
        wake: Arc::new(adapters::wake::Silent),
    };
    let environment = config.dependencies.environment.to_string();
    let (project, key) = identity::bootstrap(&core, name, &environment).await?;
    super::tell(
        &mut std::io::stdout(),
        &format!("project {project}\napi key {}\nThe key is not kept: store it now.", key.reveal()),
    );
    Ok(ExitCode::SUCCESS)
}
