//! `cargo dev tour`: one intent from end to end, step by step.

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use kernel::Clock;
use reqwest::Url;

use super::asked_to_end::asked_to_end;
use crate::{Instance, InstanceOptions, tour};
use testkit::{Client, print, services::Options};

#[derive(Debug, Args)]
pub(super) struct TourArgs {
    /// Walk through a running Holdfast on this machine instead of a new one.
    #[arg(long, requires = "key")]
    url: Option<Url>,
    /// The API key of a project there.
    #[arg(long, requires = "url")]
    key: Option<String>,
    /// Start the new one without Valkey and NATS.
    #[arg(long, conflicts_with = "url")]
    only_postgres: bool,
}

pub(super) async fn run(arguments: TourArgs) -> Result<ExitCode> {
    let end = asked_to_end()?;
    tokio::pin!(end);
    tokio::select! {
        toured = walk(arguments) => toured.map(|()| ExitCode::SUCCESS),
        () = &mut end => Ok(ExitCode::from(130)),
    }
}

async fn walk(arguments: TourArgs) -> Result<()> {
    if let (Some(url), Some(key)) = (arguments.url, arguments.key) {
        return tour::run(&Client::new(url, Clock::system())?, &key).await;
    }
    let accelerators = !arguments.only_postgres;
    let services = Options { valkey: accelerators, nats: accelerators, ..Options::durable() };
    print::progress("Starting a fresh Holdfast…");
    let mut instance = Instance::start(InstanceOptions { services, ..InstanceOptions::quiet() }).await?;
    let names =
        instance.services().map(|services| services.all().map(|service| service.name()).collect::<Vec<_>>());
    print::line(format!("Holdfast at {} with {}", instance.url(), names.unwrap_or_default().join(", ")));
    let toured = tour::run(&instance.client()?, instance.key()).await;
    let toured = toured.with_context(|| {
        let (api, worker) = (instance.api().last_words(), instance.worker().last_words());
        format!("the tour ended early. The last output of api:\n{api}of worker:\n{worker}")
    });
    instance.stop().await?;
    toured
}
