//! `cargo dev`: all of Holdfast, until Ctrl-C.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use anyhow::Result;
use clap::Args;

use super::{ServiceArgs, asked_to_end};
use crate::{Instance, InstanceOptions, say};

/// How often it is seen whether both programs still run.
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
    say::line(ready(&instance, started.elapsed()));
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
    say::progress("Stopping…");
    instance.stop().await?;
    ended.map(|()| ExitCode::SUCCESS)
}

/// What a newcomer needs to go on: where, with what, and three things to try.
fn ready(instance: &Instance, took: Duration) -> String {
    let (url, key) = (instance.url().as_str().trim_end_matches('/'), instance.key());
    let (bold, plain) = if say::coloured() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    format!(
        "
{bold}Holdfast is ready{plain} after {seconds:.1} s.

  API      {url}
  Docs     {url}/docs
  Health   {url}/health
  API key  {key}

Try:
  curl -s {url}/health
  curl -s {url}/v1/agents -H 'Authorization: Bearer {key}'
  curl -s {url}/openapi.json

An intent from end to end:  cargo dev tour --url {url} --key {key}
Ctrl-C ends everything.
",
        seconds = took.as_secs_f32(),
    )
}
