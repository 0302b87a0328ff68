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

pub(super) fn init(
    dsn: &str,
    settings: &Dependencies,
    version: &'static str,
) -> anyhow::Result<ClientInitGuard> {
    // The DSN is checked first, since the library panics on one that it cannot read.
    let _: Dsn = dsn.parse().map_err(|error| anyhow::anyhow!("SENTRY_DSN held ***: {error}"))?;
    let options = ClientOptions::new()
        .dsn(dsn)
        .release(version)
        .environment(settings.environment.to_string())
        .send_default_pii(false)
        .attach_stacktrace(true)
        .before_send(|event| without_secrets(&event));
    Ok(sentry::init(options))
}

/// Returns the layer that makes reports of errors, and breadcrumbs of the log lines before them.
pub(super) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    ErrorLayer::new()
        .with_filter(LevelFilter::ERROR)
        .and_then(BreadcrumbLayer::new().with_filter(LevelFilter::INFO))
}

/// Returns the report with secrets struck out of every text in it, whichever field holds it, or
/// `None`, which drops the report, if that is impossible.
fn without_secrets(event: &Event<'static>) -> Option<Event<'static>> {
    let text = serde_json::to_string(event).ok()?;
    serde_json::from_str(&redact(&text)).ok()
}

#[cfg(test)]
mod tests {
    use sentry::protocol::{Context, Map};

    use super::*;

    #[test]
    fn secrets_are_struck_out_of_every_field() {
        let cause = "no answer from redis://:hunter2@cache:6379, \"quoted\", a@b".to_owned();
        let fields = Map::from_iter([("cause".to_owned(), cause.into())]);
        let event = Event {
            message: Some("tried postgres://me:hunter2@db/x".to_owned()),
            contexts: Map::from_iter([("Rust Tracing Fields".to_owned(), Context::Other(fields))]),
            ..Event::default()
        };
        let cleaned = without_secrets(&event).unwrap();
        assert_eq!(cleaned.event_id, event.event_id);
        assert_eq!(cleaned.message.as_deref(), Some("tried postgres://me:***@db/x"));
        let shown = format!("{:?}", cleaned.contexts);
        assert!(shown.contains("redis://:***@cache:6379") && !shown.contains("hunter2"), "{shown}");
    }
}
