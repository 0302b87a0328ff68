//! Errors and failed jobs, reported to Sentry without personal data.

use sentry::{ClientInitGuard, ClientOptions, integrations::tracing as sentry_tracing, protocol::Event, types::Dsn};
use tracing::{Level, Subscriber};
use tracing_subscriber::{Layer, registry::LookupSpan};

use super::redact;
use crate::settings::Dependencies;

pub(super) fn init(dsn: &str, settings: &Dependencies, version: &'static str) -> anyhow::Result<ClientInitGuard> {
    // Checked first: the library panics on one it cannot read.
    let _: Dsn = dsn.parse().map_err(|error| anyhow::anyhow!("SENTRY_DSN held ***: {error}"))?;
    let options = ClientOptions::new()
        .dsn(dsn)
        .release(version)
        .environment(settings.environment.to_string())
        .send_default_pii(false)
        .attach_stacktrace(true)
        .before_send(|event| Some(without_secrets(event)));
    Ok(sentry::init(options))
}

/// Errors become reports, warnings the crumbs that lead to them.
pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    sentry_tracing::layer().event_filter(|metadata| match *metadata.level() {
        Level::ERROR => sentry_tracing::EventFilter::Event,
        Level::WARN | Level::INFO => sentry_tracing::EventFilter::Breadcrumb,
        Level::DEBUG | Level::TRACE => sentry_tracing::EventFilter::Ignore,
    })
}

fn without_secrets(mut event: Event<'static>) -> Event<'static> {
    let strike = |text: &mut Option<String>| {
        if let Some(text) = text {
            *text = redact(text).into_owned();
        }
    };
    strike(&mut event.message);
    for exception in &mut event.exception.values {
        strike(&mut exception.value);
    }
    for breadcrumb in &mut event.breadcrumbs.values {
        strike(&mut breadcrumb.message);
    }
    event
}
