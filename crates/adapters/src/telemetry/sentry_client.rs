//! Errors and failed jobs, reported to Sentry without personal data.

use sentry::{
    ClientInitGuard, ClientOptions,
    integrations::tracing::{BreadcrumbLayer, ErrorLayer},
    protocol::Event,
    types::Dsn,
};
use tracing::Subscriber;
use tracing_subscriber::{Layer, filter::LevelFilter, registry::LookupSpan};

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

/// Errors become reports, what was logged before them the crumbs that lead there.
pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    ErrorLayer::new().with_filter(LevelFilter::ERROR).and_then(BreadcrumbLayer::new().with_filter(LevelFilter::INFO))
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
