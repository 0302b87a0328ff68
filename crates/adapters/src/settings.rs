//! Configuration: environment variables, one `clap` struct a program, whose doc comments are the
//! help.
//!
//! A wrong value stops the start with one line that names the variable, what it held (secrets
//! masked) and what it wants. An empty variable counts as unset, since platforms set them so.

use std::{fmt, net::SocketAddr, str::FromStr};

use clap::{Args, CommandFactory, FromArgMatches, ValueEnum, error::ContextKind};
use kernel::crypto::{Secrets, SecretsRing};
use sqlx::postgres::PgConnectOptions;
use url::Url;

use crate::witness::Witnesses;
use crate::{connect, network, redis::RedisDbs, webhook::WebhookKey};

/// What both programs need to know.
#[derive(Debug, Clone, Args)]
pub struct Dependencies {
    /// Where this runs. Production wants JSON logs and warns of hosts that are not private.
    #[arg(long, env = "ENVIRONMENT", default_value = "development")]
    pub environment: Environment,

    /// The name in logs, errors and metrics.
    #[arg(long, env = "APP_NAME", default_value = "holdfast")]
    pub app_name: String,

    /// Postgres, with the extensions vector and pg_trgm: the only thing Holdfast cannot do without.
    #[arg(long, env = "DATABASE_URL", value_parser = database_url)]
    pub database_url: DatabaseUrl,

    /// Postgres itself, for LISTEN, where DATABASE_URL goes through PgBouncer; the same when unset.
    #[arg(long, env = "DATABASE_DIRECT_URL", value_parser = database_url)]
    pub database_direct_url: Option<DatabaseUrl>,

    /// The most connections this process opens to Postgres for its work; one to listen and one for
    /// health come on top.
    #[arg(long, env = "DATABASE_MAX_CONNECTIONS", default_value = "20", value_parser = clap::value_parser!(u32).range(2..=500))]
    pub database_max_connections: u32,

    /// Redis, for rate limits that all replicas share. Optional.
    #[arg(long, env = "REDIS_URL", value_parser = |text: &str| service_url(text, &["redis", "rediss"]))]
    pub redis_url: Option<Masked<Url>>,

    /// Which logical database of Redis serves which use.
    #[arg(long, env = "REDIS_DBS", default_value_t)]
    pub redis_dbs: RedisDbs,

    /// NATS, for faster wake-ups between processes. Optional.
    #[arg(long, env = "NATS_URL", value_parser = |text: &str| service_url(text, &["nats", "tls"]))]
    pub nats_url: Option<Masked<Url>>,

    /// Qdrant's gRPC address, for vector search. Optional.
    #[arg(long, env = "QDRANT_URL", value_parser = |text: &str| service_url(text, &["http", "https"]))]
    pub qdrant_url: Option<Masked<Url>>,

    /// The key Qdrant asks for, if it does.
    #[arg(long, env = "QDRANT_API_KEY", value_parser = secret)]
    pub qdrant_api_key: Option<Masked<String>>,

    /// The key that stored secrets are encrypted under, hfsk_…; `api keygen secrets` generates one.
    /// Up to 4, separated by commas: the first encrypts, all decrypt.
    #[arg(long, env = "SECRETS_KEY", value_parser = secrets_key)]
    pub secrets_key: Masked<SecretsRing>,

    /// The Ed25519 key that signs pushed deliveries, whsk_…; `api keygen webhook` generates one.
    #[arg(long, env = "WEBHOOK_SIGNING_KEY", value_parser = webhook_key)]
    pub webhook_signing_key: Masked<WebhookKey>,

    /// Who cosigns the vault's checkpoints: up to 8 of `<verifier key> <url>` (C2SP tlog-witness),
    /// separated by commas. Nobody when unset.
    #[arg(long, env = "VAULT_WITNESSES", default_value_t)]
    pub vault_witnesses: Witnesses,

    /// The frontend: links in mails lead to its pages, and passkeys work there as well.
    #[arg(long, env = "APP_URL", default_value = "http://localhost:3000", value_parser = app_url)]
    pub app_url: Url,

    /// Stop the start when, in production, a dependency's host is not private.
    #[arg(long, env = "REQUIRE_PRIVATE_NETWORK", default_value = "false", action = clap::ArgAction::Set)]
    pub require_private_network: bool,

    /// Where errors are reported; not at all when unset.
    #[arg(long, env = "SENTRY_DSN", value_parser = secret)]
    pub sentry_dsn: Option<Masked<String>>,

    /// How logs look; json in production and text elsewhere when unset.
    #[arg(long, env = "LOG_FORMAT")]
    pub log_format: Option<LogFormat>,

    /// What is logged, in tracing's syntax.
    #[arg(long, env = "RUST_LOG", default_value = "info,sqlx=warn,apalis=warn,async_nats=warn,rmcp=error")]
    pub rust_log: String,

    /// Where Prometheus reads metrics, as address:port; nowhere when unset.
    #[arg(long, env = "METRICS_ADDR")]
    pub metrics_addr: Option<SocketAddr>,
}

impl Dependencies {
    /// What [`connect`](crate::connect()) is handed.
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

    /// The pool both programs work with.
    pub fn database(&self) -> kernel::Db {
        kernel::Db::lazy(self.database_url.options(), self.database_max_connections)
    }

    /// Returns what encrypts stored secrets.
    pub fn secrets(&self) -> Secrets {
        Secrets::new(self.secrets_key.reveal().clone())
    }

    /// In production, warns of each dependency whose host is not private.
    ///
    /// # Errors
    /// With REQUIRE_PRIVATE_NETWORK, the same as one line.
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

/// Where a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// A developer's machine, or a test.
    Development,
    /// A deployment for rehearsal.
    Staging,
    /// The real thing.
    Production,
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Environment::Development => "development",
            Environment::Staging => "staging",
            Environment::Production => "production",
        })
    }
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// A value that must not be seen in logs, errors or `Debug`.
#[derive(Clone)]
pub struct Masked<T>(T);

impl<T> Masked<T> {
    /// Masks `value`.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself, for the one place that uses it.
    pub fn reveal(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Masked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A `postgres://` URL that was parsed; its password is not shown.
#[derive(Clone)]
pub struct DatabaseUrl(PgConnectOptions);

impl DatabaseUrl {
    /// What to connect with.
    pub fn options(&self) -> PgConnectOptions {
        self.0.clone()
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "postgres://***@{}:{}/…", self.0.get_host(), self.0.get_port())
    }
}

fn database_url(text: &str) -> Result<DatabaseUrl, String> {
    let wants = "a URL such as postgres://user:password@host:5432/database";
    let url = service_url(text, &["postgres", "postgresql"])
        .map_err(|error| format!("{error}; it wants {wants}"))?;
    PgConnectOptions::from_str(url.reveal().as_str())
        .map(DatabaseUrl)
        .map_err(|error| format!("{error}; it wants {wants}"))
}

fn service_url(text: &str, schemes: &[&str]) -> Result<Masked<Url>, String> {
    let wants = format!("it wants a URL that begins with {}://", schemes.join(":// or "));
    let url = Url::parse(text).map_err(|error| format!("held a text that is no URL ({error}); {wants}"))?;
    if !schemes.contains(&url.scheme()) || url.host_str().is_none_or(str::is_empty) {
        return Err(format!("held {}://{}; {wants}", url.scheme(), url.host_str().unwrap_or_default()));
    }
    Ok(Masked(url))
}

fn app_url(text: &str) -> Result<Url, String> {
    let wants = "it wants the URL of the frontend, such as https://app.example.com";
    let url = Url::parse(text).map_err(|error| format!("{error}; {wants}"))?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.query().is_none()
        && url.fragment().is_none();
    if bare { Ok(url) } else { Err(wants.to_owned()) }
}

/// Reads PUBLIC_URL.
///
/// # Errors
/// What it wants, in words.
pub fn public_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("{error}; it wants a URL such as https://api.example.com"))?;
    let bare = matches!(url.scheme(), "http" | "https")
        && url.host_str().is_some()
        && url.path() == "/"
        && url.query().is_none();
    if bare { Ok(url) } else { Err("it wants http:// or https:// and a host, without a path".to_owned()) }
}

// `clap` asks for a `Result` from a parser.
#[expect(clippy::unnecessary_wraps, reason = "the signature of a clap value parser")]
fn secret(text: &str) -> Result<Masked<String>, String> {
    Ok(Masked(text.to_owned()))
}

fn secrets_key(text: &str) -> Result<Masked<SecretsRing>, String> {
    text.parse()
        .map(Masked)
        .map_err(|error| format!("held *** ({error}); `api keygen secrets` generates one"))
}

fn webhook_key(text: &str) -> Result<Masked<WebhookKey>, String> {
    text.parse()
        .map(Masked)
        .map_err(|error| format!("held *** ({error}); `api keygen webhook` generates one"))
}

/// A variable that is missing or wrong: one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(String);

/// Reads a configuration from variables alone. Unknown ones are left alone; those set to nothing
/// are unset.
///
/// # Errors
/// The first variable that is missing or wrong.
pub fn parse<C: CommandFactory + FromArgMatches>(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Result<C, Invalid> {
    let command = C::command();
    let flags: Vec<Flag> = command.get_arguments().filter_map(Flag::of).collect();
    let mut arguments = vec!["holdfast".to_owned()];
    for (name, value) in variables {
        if let Some(flag) = flags.iter().find(|flag| flag.variable == name).filter(|_| !value.is_empty()) {
            arguments.push(format!("--{}={value}", flag.name));
        }
    }
    // Only what was handed over counts, whatever else this process' environment holds.
    let matches = command
        .mut_args(|arg| arg.env(None::<&str>))
        .args_override_self(true)
        .try_get_matches_from(arguments)
        .map_err(|error| explain(&error, &flags))?;
    C::from_arg_matches(&matches).map_err(|error| explain(&error, &flags))
}

/// How `clap` knows a variable.
struct Flag {
    variable: String,
    name: String,
    help: String,
}

impl Flag {
    fn of(arg: &clap::Arg) -> Option<Self> {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        Some(Self { variable: arg.get_env()?.to_str()?.to_owned(), name: arg.get_long()?.to_owned(), help })
    }
}

fn explain(error: &clap::Error, flags: &[Flag]) -> Invalid {
    let text = |kind| error.get(kind).map(ToString::to_string).unwrap_or_default();
    let argument = text(ContextKind::InvalidArg);
    let flag = flags.iter().find(|flag| argument.contains(&format!("--{} ", flag.name)));
    let (variable, help) =
        flag.map_or((argument.as_str(), ""), |flag| (flag.variable.as_str(), flag.help.as_str()));
    let source = std::error::Error::source(error).map(ToString::to_string);
    Invalid(match (error.kind(), source) {
        (clap::error::ErrorKind::MissingRequiredArgument, _) => {
            format!("{variable} is not set; it wants: {help}")
        }
        (_, Some(reason)) if reason.starts_with("held ") => format!("{variable} {reason}"),
        (_, Some(reason)) => format!("{variable} held \"{}\": {reason}", text(ContextKind::InvalidValue)),
        (_, None) => format!(
            "{variable} held \"{}\"; it wants one of {}",
            text(ContextKind::InvalidValue),
            text(ContextKind::ValidValue)
        ),
    })
}

/// This process' environment, as far as it is text.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The variables of a configuration, one a line, for `--help`.
pub fn describe(command: &clap::Command) -> String {
    let mut text = String::from("Environment variables:\n");
    for arg in command.get_arguments() {
        let (Some(name), Some(help)) = (arg.get_env().and_then(|name| name.to_str()), arg.get_help()) else {
            continue;
        };
        let default = arg
            .get_default_values()
            .first()
            .and_then(|value| value.to_str())
            .filter(|value| !value.is_empty());
        let default = default.map(|value| format!(" [default: {value}]")).unwrap_or_default();
        text.push_str(&format!("  {name}\n      {help}{default}\n"));
    }
    text
}
