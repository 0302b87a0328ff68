//! The settings that both programs share.

use std::net::SocketAddr;

use clap::Args;
use kernel::crypto::{Secrets, SecretsRing};
use url::Url;

use super::{
    environment::{Environment, LogFormat},
    masked::{DatabaseUrl, Masked},
    values::{app_url, database_url, secret, secrets_key, service_url, webhook_key},
};
use crate::{connect, network, redis::RedisDbs, webhook::WebhookKey, witness::Witnesses};

/// The settings that both programs share.
#[derive(Debug, Clone, Args)]
pub struct Dependencies {
    /// The place where this runs. Production wants JSON logs and warns of hosts that are not
    /// private.
    #[arg(long, env = "ENVIRONMENT", default_value = "development")]
    pub environment: Environment,

    /// The name in logs, errors and metrics.
    #[arg(long, env = "APP_NAME", default_value = "holdfast")]
    pub app_name: String,

    /// Postgres, with the extensions vector and pg_trgm: the only service that Holdfast needs.
    #[arg(long, env = "DATABASE_URL", value_parser = database_url)]
    pub database_url: DatabaseUrl,

    /// Postgres itself, for LISTEN, where DATABASE_URL goes through PgBouncer; the same when unset.
    #[arg(long, env = "DATABASE_DIRECT_URL", value_parser = database_url)]
    pub database_direct_url: Option<DatabaseUrl>,

    /// The most connections this process opens to Postgres for its work; it opens two more, to
    /// listen and for health.
    #[arg(
        long,
        env = "DATABASE_MAX_CONNECTIONS",
        default_value = "20",
        value_parser = clap::value_parser!(u32).range(2..=500)
    )]
    pub database_max_connections: u32,

    /// Redis, for rate limits that all replicas share. Optional.
    #[arg(long, env = "REDIS_URL", value_parser = |text: &str| service_url(text, &["redis", "rediss"]))]
    pub redis_url: Option<Masked<Url>>,

    /// The logical database of Redis for each use.
    #[arg(long, env = "REDIS_DBS", default_value_t)]
    pub redis_dbs: RedisDbs,

    /// NATS, for faster wake-ups between processes. Optional.
    #[arg(long, env = "NATS_URL", value_parser = |text: &str| service_url(text, &["nats", "tls"]))]
    pub nats_url: Option<Masked<Url>>,

    /// Qdrant's gRPC address, for vector search. Optional.
    #[arg(long, env = "QDRANT_URL", value_parser = |text: &str| service_url(text, &["http", "https"]))]
    pub qdrant_url: Option<Masked<Url>>,

    /// Qdrant's API key, if it wants one.
    #[arg(long, env = "QDRANT_API_KEY", value_parser = secret)]
    pub qdrant_api_key: Option<Masked<String>>,

    /// The key that stored secrets are encrypted under, hfsk_…; `api keygen secrets` generates one.
    /// Up to 4, separated by commas: the first encrypts, all decrypt.
    #[arg(long, env = "SECRETS_KEY", value_parser = secrets_key)]
    pub secrets_key: Masked<SecretsRing>,

    /// The Ed25519 key that signs pushed deliveries, whsk_…; `api keygen webhook` generates one.
    #[arg(long, env = "WEBHOOK_SIGNING_KEY", value_parser = webhook_key)]
    pub webhook_signing_key: Masked<WebhookKey>,

    /// The witnesses that cosign the vault's checkpoints: up to 8 of `<verifier key> <url>` (C2SP
    /// tlog-witness), separated by commas. None when unset.
    #[arg(long, env = "VAULT_WITNESSES", default_value_t)]
    pub vault_witnesses: Witnesses,

    /// The frontend: links in mails lead to its pages, and passkeys work there as well.
    #[arg(long, env = "APP_URL", default_value = "http://localhost:3000", value_parser = app_url)]
    pub app_url: Url,

    /// Stops the start when, in production, a dependency's host is not private.
    #[arg(long, env = "REQUIRE_PRIVATE_NETWORK", default_value = "false", action = clap::ArgAction::Set)]
    pub require_private_network: bool,

    /// The Sentry DSN that errors are reported to; no reports when unset.
    #[arg(long, env = "SENTRY_DSN", value_parser = secret)]
    pub sentry_dsn: Option<Masked<String>>,

    /// The format of logs; json in production and text elsewhere when unset.
    #[arg(long, env = "LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// The filter of logs, in tracing's syntax.
    #[arg(long, env = "RUST_LOG", default_value = "info,sqlx=warn,apalis=warn,async_nats=warn,rmcp=error")]
    pub rust_log: String,

    /// The address that Prometheus reads metrics from, as address:port; none when unset.
    #[arg(long, env = "METRICS_ADDR")]
    pub metrics_addr: Option<SocketAddr>,
}

impl Dependencies {
    /// Returns the settings of [`connect`](crate::connect()).
    pub fn connections(&self) -> connect::Settings {
        connect::Settings {
            direct_database: self.database_direct_url.as_ref().unwrap_or(&self.database_url).options(),
            redis_url: self.redis_url.as_ref().map(|url| url.reveal().clone()),
            redis_dbs: self.redis_dbs.clone(),
            nats_url: self.nats_url.as_ref().map(|url| url.reveal().clone()),
            qdrant_url: self.qdrant_url.as_ref().map(|url| url.reveal().clone()),
            qdrant_api_key: self.qdrant_api_key.as_ref().map(|key| key.reveal().clone()),
        }
    }

    /// Returns the pool that both programs use.
    pub fn database(&self) -> kernel::Db {
        kernel::Db::lazy(self.database_url.options(), self.database_max_connections)
    }

    /// Returns the cipher of stored secrets.
    pub fn secrets(&self) -> Secrets {
        Secrets::new(self.secrets_key.reveal().clone())
    }

    /// Warns, in production, of each dependency whose host is not private.
    ///
    /// # Errors
    /// With REQUIRE_PRIVATE_NETWORK, fails with the same warnings as one line.
    pub fn check_hosts(&self) -> anyhow::Result<()> {
        if self.environment != Environment::Production {
            return Ok(());
        }
        let url = |url: &Option<Masked<Url>>| {
            url.as_ref().and_then(|url| url.reveal().host_str().map(str::to_owned))
        };
        let hosts = [
            ("DATABASE_URL", Some(self.database_url.options().get_host().to_owned())),
            (
                "DATABASE_DIRECT_URL",
                self.database_direct_url.as_ref().map(|url| url.options().get_host().to_owned()),
            ),
            ("REDIS_URL", url(&self.redis_url)),
            ("NATS_URL", url(&self.nats_url)),
            ("QDRANT_URL", url(&self.qdrant_url)),
        ];
        let named: Vec<_> =
            hosts.into_iter().filter_map(|(variable, host)| Some((variable, host?))).collect();
        let public = network::check_private(&named);
        anyhow::ensure!(!self.require_private_network || public.is_empty(), "{}", public.join("; "));
        for warning in public {
            tracing::warn!("{warning}");
        }
        Ok(())
    }
}
