//! `cargo dev`: all of Holdfast, until Ctrl-C.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;
use kernel::ids::{LogId, ProjectId};
use serde_json::Value;

use super::{asked_to_end::asked_to_end, service_args::ServiceArgs};
use crate::{Instance, InstanceOptions};
use testkit::print;

/// The interval at which both programs are checked.
const WATCH: Duration = Duration::from_millis(250);

#[derive(Debug, Args)]
pub(super) struct UpArgs {
    #[command(flatten)]
    pub(super) services: ServiceArgs,
    /// The port of the API.
    #[arg(long, default_value_t = 8080)]
    port: u16,
}

pub(super) async fn run(arguments: UpArgs) -> Result<ExitCode> {
    let end = asked_to_end()?;
    tokio::pin!(end);
    let started = Instant::now();
    let options = InstanceOptions {
        port: arguments.port,
        services: arguments.services.options(),
        shown: true,
        heed_environment: true,
        ..InstanceOptions::quiet()
    };
    let mut instance = tokio::select! {
        instance = Instance::start(options) => instance?,
        () = &mut end => return Ok(ExitCode::SUCCESS),
    };
    print::line(ready(&instance, &project(&instance).await?, started.elapsed()));
    let ended = loop {
        tokio::select! {
            () = &mut end => break Ok(()),
            () = tokio::time::sleep(WATCH) => {
                if let Err(error) = instance.check_running() {
                    break Err(error);
                }
            }
        }
    };
    print::progress("Stopping…");
    instance.stop().await?;
    ended.map(|()| ExitCode::SUCCESS)
}

/// Returns the project of the key, whose log has the same digits.
async fn project(instance: &Instance) -> Result<ProjectId> {
    let reply = instance.client()?.get("/v1/vault/log").key(instance.key()).send().await?;
    let log: Value = reply.expect(200)?;
    let id: LogId = log["log"].as_str().unwrap_or_default().parse()?;
    Ok(id.project())
}

/// Prints URLs, the key, and commands to try.
fn ready(instance: &Instance, project: &ProjectId, took: Duration) -> String {
    let (url, key) = (instance.url().as_str().trim_end_matches('/'), instance.key());
    let (bold, plain) = if print::coloured() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    format!(
        "
{bold}Holdfast is ready{plain} after {seconds:.1} s.

  API      {url}
  Docs     {url}/docs
  Health   {url}/health
  API key  {key}
  Project  {project}
  Vault    {url}/vault/{log}
  Postgres {database}

Try:
  curl -s {url}/health
  curl -s {url}/v1/agents -H 'Authorization: Bearer {key}'
  curl -s {url}/v1/vault/seals -H 'Authorization: Bearer {key}' \
     --json '{{\"kind\":\"hello\",\"verdict\":\"SEAL\",\"payload\":{{\"n\":1}}}}'

An intent from end to end:  cargo dev tour --url {url} --key {key}
Ctrl-C ends everything.
",
        log = LogId::from(*project),
        database = instance.database_url().unwrap_or("as DATABASE_URL says"),
        seconds = took.as_secs_f32(),
    )
}
