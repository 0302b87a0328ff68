//! `cargo dev services`: only Postgres, Valkey and NATS, for a shell.

use std::{process::ExitCode, time::Instant};

use anyhow::Result;

use super::{asked_to_end::asked_to_end, service_args::ServiceArgs};
use crate::instance;
use testkit::{print, services::Services};

pub(super) async fn run(arguments: ServiceArgs) -> Result<ExitCode> {
    let end = asked_to_end()?;
    tokio::pin!(end);
    let started = Instant::now();
    let services = tokio::select! {
        services = Services::start(arguments.options()) => services?,
        () = &mut end => return Ok(ExitCode::SUCCESS),
    };
    for (variable, url) in instance::addresses(&services).await? {
        print::line(format!("export {variable}={url}"));
    }
    let names: Vec<_> = services.all().map(|service| service.name()).collect();
    print::progress(format!(
        "{} ready after {:.1} s; Ctrl-C ends.",
        names.join(", "),
        started.elapsed().as_secs_f32()
    ));
    end.await;
    services.stop().await?;
    Ok(ExitCode::SUCCESS)
}
