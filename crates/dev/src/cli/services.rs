//! `cargo dev services`: only Postgres, Valkey and NATS, for a shell that wants them.

use std::{process::ExitCode, time::Instant};

use anyhow::Result;

use super::{ServiceArgs, asked_to_end};
use crate::{say, services::Services};

/// The database that `cargo dev` works in.
pub(super) const DATABASE: &str = "holdfast";

pub(super) async fn run(arguments: ServiceArgs) -> Result<ExitCode> {
    let end = asked_to_end()?;
    tokio::pin!(end);
    let started = Instant::now();
    let starting = arguments.start();
    let services = tokio::select! {
        services = starting => services?,
        () = &mut end => return Ok(ExitCode::SUCCESS),
    };
    for (variable, url) in addresses(&services).await? {
        say::line(format!("export {variable}={url}"));
    }
    let names: Vec<_> = services.all().map(|service| service.name()).collect();
    say::progress(format!("{} ready after {:.1} s; Ctrl-C ends.", names.join(", "), started.elapsed().as_secs_f32()));
    end.await;
    services.stop().await?;
    Ok(ExitCode::SUCCESS)
}

/// The variables by which `api` and `worker` find the services.
pub(super) async fn addresses(services: &Services) -> Result<Vec<(&'static str, String)>> {
    let mut found = vec![("DATABASE_URL", services.postgres.create_database(DATABASE).await?)];
    found.extend(services.valkey().ok().map(|valkey| ("REDIS_URL", valkey.url())));
    found.extend(services.nats().ok().map(|nats| ("NATS_URL", nats.url())));
    Ok(found)
}
