//! Holdfast as in production: `api` and `worker` as processes, with services, a schema and a first
//! key.
//!
//! It is for `cargo dev`, the tour, benchmarks, and tests that kill processes. Tests of behavior
//! use [`TestApp`](crate::TestApp), which is quicker.

use std::{
    env,
    net::{Ipv4Addr, Ipv6Addr, TcpListener},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use domain::identity;
use kernel::{Clock, Db};
use reqwest::Url;

use crate::keep;
use testkit::{
    Client, Program, print,
    services::{Options, Services},
};

/// The variables that name the programs' dependencies.
const DATABASE_URL: &str = "DATABASE_URL";
const REDIS_URL: &str = "REDIS_URL";
const NATS_URL: &str = "NATS_URL";
const DEPENDENCIES: [&str; 3] = [DATABASE_URL, REDIS_URL, NATS_URL];
/// The name of the database in the private Postgres.
const DATABASE: &str = "holdfast";
/// The timeout of a program's readiness.
const READY_TIMEOUT: Duration = Duration::from_secs(60);

/// The options of an [`Instance`].
#[derive(Debug, Clone)]
pub struct InstanceOptions {
    /// The port of the API; 0 for any free one.
    pub port: u16,
    /// The options of the services that the environment does not name.
    pub services: Options,
    /// Variables of both programs, which override the defaults.
    pub variables: Vec<(String, String)>,
    /// Shows the programs' output as it comes.
    pub shown: bool,
    /// The binary of this crate; by default the running one.
    pub binary: Option<PathBuf>,
    /// Uses DATABASE_URL, REDIS_URL and NATS_URL of the environment in place of private services.
    pub heed_environment: bool,
}

impl InstanceOptions {
    /// Returns the options for any free port, without output, as durable as production.
    pub fn quiet() -> Self {
        Self {
            port: 0,
            services: Options::durable(),
            variables: Vec::new(),
            shown: false,
            binary: None,
            heed_environment: false,
        }
    }
}

/// A running Holdfast. Dropping it ends all of it.
#[derive(Debug)]
pub struct Instance {
    url: Url,
    key: String,
    database_url: String,
    api: Program,
    worker: Program,
    services: Option<Services>,
}

impl Instance {
    /// Starts the services, migrates, creates a project with a key, and waits until the API is
    /// ready.
    ///
    /// # Errors
    /// Fails with one sentence about what did not start, and the tail of its output.
    pub async fn start(options: InstanceOptions) -> Result<Self> {
        let port = check_port(options.port)?;
        let url: Url = format!("http://127.0.0.1:{port}").parse()?;
        let (services, dependencies) = dependencies(&options).await?;
        // The secrets in that folder belong to the database there.
        let data = options.services.data.as_deref().filter(|_| services.is_some());
        let database_url = value(&dependencies, DATABASE_URL)?;

        let variables = program_variables(&options, data, &url, dependencies).await?;
        let binary = options.binary.clone().map_or_else(env::current_exe, Ok)?;
        let program = |name: &'static str, arguments: &[&str], port: u16| {
            let mut variables = variables.clone();
            variables.push(("PORT".to_owned(), port.to_string()));
            let mut command = vec![binary.display().to_string(), name.to_owned()];
            command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
            Program::new(name, command, variables, options.heed_environment, options.shown)
        };

        progress(options.shown, "Migrating the database…");
        program("api", &["migrate"], port).run().await?;
        let key = keep::kept(data, "api-key", async || demo_project(&database_url).await).await?;
        progress(options.shown, "Starting api and worker…");
        let worker_port = free_port()?;
        let (api, worker) = (program("api", &[], port), program("worker", &[], worker_port));
        let mut instance = Self { url, key, database_url, api, worker, services };
        instance.api.start()?;
        instance.worker.start()?;
        instance.until_ready(&instance.client()?).await?;
        let worker_url = format!("http://127.0.0.1:{worker_port}").parse()?;
        instance.until_ready(&Client::new(worker_url, Clock::system())?).await?;
        Ok(instance)
    }

    /// Returns the URL of the API.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns the API key of the demo project.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the URL of the private Postgres, or `None` for another one, whose URL may hold a
    /// secret.
    pub fn database_url(&self) -> Option<&str> {
        self.services.as_ref().map(|_| self.database_url.as_str())
    }

    /// Returns a client of the API.
    ///
    /// # Errors
    /// Fails as [`Client::new`] does.
    pub fn client(&self) -> Result<Client> {
        Client::new(self.url.clone(), Clock::system())
    }

    /// Returns the private services, or `None` when the environment names a database.
    pub fn services(&self) -> Option<&Services> {
        self.services.as_ref()
    }

    /// Returns the `api` process.
    pub fn api(&mut self) -> &mut Program {
        &mut self.api
    }

    /// Returns the `worker` process.
    pub fn worker(&mut self) -> &mut Program {
        &mut self.worker
    }

    /// Returns another replica of the API, not started yet, with the same public URL, and its own
    /// URL.
    ///
    /// # Errors
    /// Fails when no port is free.
    pub fn another_api(&self) -> Result<(Program, Url)> {
        let port = free_port()?;
        Ok((self.api.twin(port), format!("http://127.0.0.1:{port}").parse()?))
    }

    /// Returns another worker, not started yet, and the URL of its health.
    ///
    /// # Errors
    /// Fails when no port is free.
    pub fn another_worker(&self) -> Result<(Program, Url)> {
        let port = free_port()?;
        Ok((self.worker.twin(port), format!("http://127.0.0.1:{port}").parse()?))
    }

    /// Waits until a program is ready, which requires the schema.
    async fn until_ready(&mut self, client: &Client) -> Result<()> {
        let deadline = Instant::now() + READY_TIMEOUT;
        loop {
            self.check_running()?;
            if client.get("/health/ready").send().await.is_ok_and(|reply| reply.status == 200) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let (api, worker) = (self.api.last_words(), self.worker.last_words());
                bail!(
                    "{} does not become ready. The last output of api:\n{api}and of worker:\n{worker}",
                    client.base()
                );
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Requires that both programs run.
    ///
    /// # Errors
    /// Fails with the name of the one that ended, how it ended, and the tail of its output.
    pub fn check_running(&mut self) -> Result<()> {
        self.api.check_running()?;
        self.worker.check_running()
    }

    /// Ends everything in order: the programs finish their work while the services still run.
    ///
    /// # Errors
    /// Fails when something can be neither stopped nor killed.
    pub async fn stop(mut self) -> Result<()> {
        let (api, worker) = tokio::join!(self.api.stop(), self.worker.stop());
        api?;
        worker?;
        match self.services {
            Some(services) => services.stop().await,
            None => Ok(()),
        }
    }
}

/// Checks that a port is free; finds a free one for 0.
fn check_port(port: u16) -> Result<u16> {
    if port == 0 {
        return free_port();
    }
    let taken = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            anyhow::anyhow!("port {port} is taken by another program: choose another one with --port")
        }
        _ => anyhow::anyhow!("port {port} cannot be listened on ({error}): choose another one with --port"),
    };
    TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).map_err(taken)?;
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)) {
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Err(taken(error)),
        _ => Ok(port),
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?.local_addr()?.port())
}

/// Starts the services that the environment does not name. If it names a database, nothing is
/// started, since a database is all that Holdfast needs.
async fn dependencies(options: &InstanceOptions) -> Result<(Option<Services>, Vec<(String, String)>)> {
    let named =
        |name: &&str| Some((name.to_string(), env::var(name).ok().filter(|value| !value.is_empty())?));
    let mut found: Vec<_> =
        DEPENDENCIES.iter().filter(|_| options.heed_environment).filter_map(named).collect();
    let has = |name: &str| found.iter().any(|(found, _)| found == name);
    if has(DATABASE_URL) {
        progress(options.shown, "Using the database of DATABASE_URL; no services are started.");
        return Ok((None, found));
    }
    let wanted = Options {
        valkey: options.services.valkey && !has(REDIS_URL),
        nats: options.services.nats && !has(NATS_URL),
        ..options.services.clone()
    };
    progress(options.shown, "Starting the services…");
    let services = Services::start(wanted).await?;
    found.extend(addresses(&services).await?);
    // Empty, since it could name another database.
    found.push(("DATABASE_DIRECT_URL".to_owned(), String::new()));
    Ok((Some(services), found))
}

/// Returns the variables of the programs: the dependencies, and the defaults of development, which
/// the environment may override.
async fn program_variables(
    options: &InstanceOptions,
    data: Option<&Path>,
    url: &Url,
    dependencies: Vec<(String, String)>,
) -> Result<Vec<(String, String)>> {
    let mut secrets = Vec::new();
    for (name, key) in crate::keys::keys() {
        let file = name.to_lowercase().replace('_', "-");
        secrets.push((name, keep::kept(data, &file, async || Ok(key)).await?));
    }
    let defaults = [
        ("PUBLIC_URL", url.as_str().trim_end_matches('/').to_owned()),
        ("PUSH_ALLOW_PRIVATE", "true".to_owned()),
        // A developer makes more attempts in a quarter of an hour than an anonymous caller may.
        ("AUTH_RATE_LIMIT", "200".to_owned()),
        ("NO_COLOR", if print::coloured() { String::new() } else { "1".to_owned() }),
    ];
    let set = |name: &str| options.heed_environment && env::var_os(name).is_some();
    let defaults = secrets.into_iter().chain(defaults).filter(|(name, _)| !set(name));
    let defaults = defaults.map(|(name, value)| (name.to_owned(), value));
    Ok(dependencies.into_iter().chain(defaults).chain(options.variables.iter().cloned()).collect())
}

/// Returns the variables that name these services for `api` and `worker`.
///
/// # Errors
/// Fails when Postgres refuses.
pub async fn addresses(services: &Services) -> Result<Vec<(String, String)>> {
    let mut found = vec![(DATABASE_URL.to_owned(), services.postgres.create_database(DATABASE).await?)];
    found.extend(services.valkey().ok().map(|valkey| (REDIS_URL.to_owned(), valkey.url())));
    found.extend(services.nats().ok().map(|nats| (NATS_URL.to_owned(), nats.url())));
    Ok(found)
}

/// Creates the demo project. Returns its key.
async fn demo_project(database_url: &str) -> Result<String> {
    let db = Db::lazy(database_url.parse()?, 2);
    let made = identity::bootstrap(&testkit::test_core(db.clone()), "Demo", "development").await;
    db.pool().close().await;
    Ok(made?.1.reveal())
}

fn value(variables: &[(String, String)], name: &str) -> Result<String> {
    let found = variables.iter().find(|(found, _)| found == name);
    found.map(|(_, value)| value.clone()).with_context(|| format!("{name} is not set"))
}

fn progress(shown: bool, text: &str) {
    if shown {
        print::progress(text);
    }
}
