//! Telemetry for operators: logs, Sentry and Prometheus. A program's `main` installs it once.

mod redact;
mod sentry_client;
mod signal;

use std::io::IsTerminal;

use std::backtrace::{Backtrace, BacktraceStatus};

use metrics_exporter_prometheus::PrometheusBuilder;
use sentry::ClientInitGuard;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, util::SubscriberInitExt};

pub use redact::redact;
pub use signal::stop_on_signal;

use crate::settings::{Dependencies, Environment, LogFormat};

/// The buckets of every histogram, all of them in seconds. Unlike quantiles, they add up over
/// replicas.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Keeps reporting alive. Dropping it sends what is still to be sent, for at most two seconds.
pub struct Telemetry {
    _sentry: Option<ClientInitGuard>,
}

/// Starts logging, error reports and, where METRICS_ADDR is set, the listener that Prometheus
/// reads. Call it inside a Tokio runtime.
///
/// # Errors
/// Fails on a RUST_LOG that cannot be read, and on a METRICS_ADDR that cannot be listened on.
pub fn install(settings: &Dependencies, version: &'static str) -> anyhow::Result<Telemetry> {
    // reqwest and sqlx use the process' provider. If one is installed already, it is the same one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let filter = EnvFilter::try_new(&settings.rust_log)
        .map_err(|error| anyhow::anyhow!("RUST_LOG held \"{}\": {error}", settings.rust_log))?;
    let production = settings.environment == Environment::Production;
    let format = settings.log_format.unwrap_or(if production { LogFormat::Json } else { LogFormat::Text });
    let writer = redact::Redacting;
    let logs: Box<dyn Layer<Registry> + Send + Sync> = match format {
        LogFormat::Json => Box::new(
            fmt::layer()
                .json()
                .flatten_event(true)
                .with_current_span(true)
                .with_span_list(false)
                .with_writer(writer),
        ),
        LogFormat::Text => {
            let coloured = std::io::stderr().is_terminal();
            Box::new(fmt::layer().compact().with_target(false).with_ansi(coloured).with_writer(writer))
        }
    };
    let sentry = settings
        .sentry_dsn
        .as_ref()
        .map(|dsn| sentry_client::init(dsn.reveal(), settings, version))
        .transpose()?;
    tracing_subscriber::registry()
        .with(logs.with_filter(filter))
        .with(sentry.is_some().then(sentry_client::layer))
        .try_init()?;
    log_panics();
    if let Some(address) = settings.metrics_addr {
        PrometheusBuilder::new()
            .with_http_listener(address)
            .add_global_label("app", &settings.app_name)
            .set_buckets(&SECONDS)
            .map_err(anyhow::Error::new)?
            .install()
            .map_err(|error| anyhow::anyhow!("METRICS_ADDR held \"{address}\": {error}"))?;
    }
    Ok(Telemetry { _sentry: sentry })
}

/// Makes a panic a line of the log like any other, redacted, in the log's format, in the span it
/// happened in; and a report like any other error. It replaces the hook that the reports' library
/// installs, which would report a panic a second time.
fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(place, backtrace, "panicked: {}", panic.payload_as_str().unwrap_or("without a text"));
    }));
}
