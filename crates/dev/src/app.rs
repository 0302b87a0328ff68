//! Holdfast in the process of a test: the real API on a real port, a real worker, and a database of
//! its own.

use std::{env, sync::Arc};

use anyhow::{Context, Result};
use domain::{
    identity::{
        self,
        access_token::{AccessTokens, Bearer},
        mail_tokens,
    },
    mail::Mail,
};
use kernel::{
    Clock, Core, Db,
    caller::{RequestContext, Role},
    ids::{OrganizationId, ProjectId, SessionId, UserId},
};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use vault::Vault;

use testkit::{Client, Identity, PgFault, Services, TestDatabase, client::Request, services};

/// Pools are small, so that many tests can share one Postgres.
const CONNECTIONS: u32 = 5;

/// The options of a [`TestApp`].
#[derive(Debug, Clone)]
pub struct AppOptions {
    /// Services of the test's own, which it may freeze and kill. Without them, the shared ones are
    /// used.
    pub services: Option<Arc<Services>>,
    /// A proxy before Postgres that breaks, for `api` and `worker`. The test itself bypasses it.
    pub through: Option<Arc<PgFault>>,
    /// Uses Valkey and NATS. True, unless the variable HOLDFAST_TEST_ACCELERATORS is `none`: the
    /// same tests must pass both ways.
    pub accelerators: bool,
    /// Variables of `api` and `worker`, which override those of the harness.
    pub variables: Vec<(&'static str, String)>,
    /// The API's clock. The worker keeps the machine's.
    pub clock: Clock,
    /// Runs a worker.
    pub worker: bool,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            services: None,
            through: None,
            accelerators: env::var("HOLDFAST_TEST_ACCELERATORS").as_deref() != Ok("none"),
            variables: Vec::new(),
            clock: Clock::system(),
            worker: true,
        }
    }
}

/// A running Holdfast. Dropping it tells it to stop; [`TestApp::stop`] also waits until it has.
#[derive(Debug)]
pub struct TestApp {
    core: Core,
    client: Client,
    project: ProjectId,
    key: String,
    variables: Vec<(String, String)>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<Result<()>>>,
    // The last field, so that it is dropped after its users were told to stop.
    database: TestDatabase,
}

impl TestApp {
    /// Starts everything on the shared services.
    ///
    /// # Errors
    /// Fails with a sentence about what did not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(AppOptions::default()).await
    }

    /// Starts what `options` say.
    ///
    /// # Errors
    /// Fails with a sentence about what did not start.
    pub async fn start_with(options: AppOptions) -> Result<Self> {
        let shared;
        let services = match &options.services {
            Some(own) => own,
            None => {
                shared = services::shared().await?;
                shared
            }
        };
        let database = services.postgres.database().await?;
        let mut variables = variables(services, &database, &options)?;
        let stop = CancellationToken::new();
        let (client, api) = serve(&mut variables, &options.clock, &stop).await?;
        let mut tasks = vec![api];
        if options.worker {
            let config = worker::Config::from_pairs(variables.clone())?;
            tasks.push(tokio::spawn(worker::run(config, stop.clone())));
        }
        let clock = options.clock;
        let db: Db = database.db(CONNECTIONS)?;
        let secrets = api::Config::from_pairs(variables.clone())?.dependencies.secrets();
        let core = Core::new(db, clock, secrets);
        let (project, key) = identity::bootstrap(&core, "Test", "development").await?;
        let app = Self { core, client, project, key: key.reveal(), variables, stop, tasks, database };
        Ok(app)
    }

    /// Returns a client of the API.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Starts a `GET` of a path, with its query.
    pub fn get(&self, path: &str) -> Request {
        self.client.get(path)
    }

    /// Starts a `POST` to a path.
    pub fn post(&self, path: &str) -> Request {
        self.client.post(path)
    }

    /// Starts a `DELETE` of a path.
    pub fn delete(&self, path: &str) -> Request {
        self.client.delete(path)
    }

    /// Returns the URL of the API.
    pub fn url(&self) -> &Url {
        self.client.base()
    }

    /// Returns the first project.
    pub fn project(&self) -> ProjectId {
        self.project
    }

    /// Returns the API key of the first project.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the core, to call use cases without HTTP and to look at rows.
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Returns the vault, to call its use cases without HTTP.
    ///
    /// # Errors
    /// Fails on a wrong variable.
    pub fn vault(&self) -> Result<Vault> {
        let config = api::Config::from_pairs(self.variables.clone())?;
        Ok(config.vault.vault(self.core.clone(), &config.public_url(), &config.dependencies.vault_witnesses))
    }

    /// Returns the database. It connects as the owner, who bypasses row-level security.
    pub fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// Creates another project. Returns its key.
    ///
    /// # Errors
    /// Fails when Postgres refuses.
    pub async fn another_project(&self, name: &str) -> Result<(ProjectId, String)> {
        let (project, key) = identity::bootstrap(&self.core, name, "development").await?;
        Ok((project, key.reveal()))
    }

    /// Creates a logged-in person without signing up: an account with a verified address, a
    /// session, and its access token.
    ///
    /// # Errors
    /// Fails when the address is taken.
    pub async fn person(&self, email: &str) -> Result<(UserId, String)> {
        let (user, session): (UserId, SessionId) = (self.core.ids.next(), self.core.ids.next());
        let now = self.core.clock.now();
        sqlx::query(
            "INSERT INTO users (id, email, email_key, name, email_verified_at, created_at, updated_at) \
             VALUES ($1, $2, lower($2), split_part($2, '@', 1), $3, $3, $3)",
        )
        .bind(user)
        .bind(email)
        .bind(now)
        .execute(self.core.db.pool())
        .await?;
        sqlx::query(
            "INSERT INTO sessions \
                 (id, user_id, method, address, user_agent, created_at, last_used_at, expires_at) \
             VALUES ($1, $2, 'password', '127.0.0.1', 'test', $3, $3, $3 + interval '30 days')",
        )
        .bind(session)
        .bind(user)
        .bind(now)
        .execute(self.core.db.pool())
        .await?;
        Ok((user, self.tokens()?.issue(Bearer { user, session }, now, &self.core.ids)?))
    }

    /// Returns the mails that were enqueued since the last call, as the worker would send them, for
    /// tests without a worker.
    ///
    /// # Errors
    /// Fails when Postgres refuses.
    pub async fn mails(&self) -> Result<Vec<Mail>> {
        let asked: Vec<Value> = sqlx::query_scalar(
            "WITH asked AS (DELETE FROM jobs WHERE kind = 'identity.send_mail' RETURNING id, payload) SELECT \
            payload FROM asked ORDER BY id",
        )
        .fetch_all(self.core.db.pool())
        .await?;
        let mut mails = Vec::new();
        for payload in asked {
            let job = serde_json::from_value(payload)?;
            let app_url = "http://app.test".parse()?;
            let request = RequestContext::default();
            mails.extend(mail_tokens::prepare(&self.core, &job, &app_url, &request).await?);
        }
        Ok(mails)
    }

    /// Makes `user` a member of the organization of the first project.
    ///
    /// # Errors
    /// Fails when the person is a member already.
    pub async fn join(&self, user: UserId, role: Role) -> Result<OrganizationId> {
        Ok(sqlx::query_scalar(
            "INSERT INTO memberships (organization_id, user_id, role, created_at) \
             SELECT organization_id, $1, $2, now() FROM projects WHERE id = $3 RETURNING organization_id",
        )
        .bind(user)
        .bind(role.as_str())
        .bind(self.project)
        .fetch_one(self.core.db.pool())
        .await?)
    }

    /// Returns the issuer of access tokens, as the API has it.
    ///
    /// # Errors
    /// Fails on a wrong variable.
    pub fn tokens(&self) -> Result<AccessTokens> {
        Ok(AccessTokens::new(
            &self.variable("JWT_SIGNING_KEY")?.parse()?,
            &self.variable("PUBLIC_URL")?.parse()?,
        ))
    }

    /// Returns a variable that the API was started with.
    ///
    /// # Errors
    /// Fails when it is not set.
    pub fn variable(&self, name: &str) -> Result<&str> {
        let found = self.variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).with_context(|| format!("{name} is not set"))
    }

    /// Starts another API on the same database, with another value of one variable.
    ///
    /// # Errors
    /// Fails when it does not start.
    pub async fn api_with(&self, name: &str, value: &str) -> Result<Client> {
        let mut variables = self.variables.clone();
        variables.retain(|(known, _)| known != name);
        variables.push((name.to_owned(), value.to_owned()));
        let (client, _serving) = serve(&mut variables, &self.core.clock, &self.stop).await?;
        Ok(client)
    }

    /// Starts another replica of the API, on the same database and with the same public URL.
    ///
    /// # Errors
    /// Fails when it does not start.
    pub async fn another_api(&mut self) -> Result<Client> {
        let mut variables = self.variables.clone();
        let (client, api) = serve(&mut variables, &self.core.clock, &self.stop).await?;
        self.tasks.push(api);
        Ok(client)
    }

    /// Starts another worker on the same database.
    ///
    /// # Errors
    /// Fails when its configuration is refused.
    pub fn another_worker(&mut self) -> Result<()> {
        let config = worker::Config::from_pairs(self.variables.clone())?;
        self.tasks.push(tokio::spawn(worker::run(config, self.stop.clone())));
        Ok(())
    }

    /// Registers a new agent of the first project that pulls from its inbox.
    ///
    /// # Errors
    /// Fails when the API does not register it.
    pub async fn agent(&self, name: &str) -> Result<Identity> {
        self.register(name, json!({})).await
    }

    /// Registers a new agent of the first project; `more` is merged into its registration.
    ///
    /// # Errors
    /// Fails when the API does not register it.
    pub async fn register(&self, name: &str, more: Value) -> Result<Identity> {
        let identity = Identity::generate();
        register(&self.client, &self.key, &identity, name, more).await?;
        Ok(identity)
    }

    /// Tells everything to stop, and waits until it has.
    ///
    /// # Errors
    /// Fails with the error of a program.
    pub async fn stop(mut self) -> Result<()> {
        self.stop.cancel();
        for task in self.tasks.drain(..) {
            task.await??;
        }
        self.core.db.pool().close().await;
        Ok(())
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Registers `identity` with the project of `key`; `more` is merged into the registration. Returns
/// the response.
///
/// # Errors
/// Fails when the response is neither 201 nor 200.
pub async fn register(
    client: &Client,
    key: &str,
    identity: &Identity,
    name: &str,
    more: Value,
) -> Result<Value> {
    let mut registration = json!({
        "did": identity.did(),
        "public_key": identity.public_key(),
        "name": name,
        "capabilities": [{"description": format!("what {name} does"), "tags": ["test"], "version": "1.0.0"}],
    });
    if let (Value::Object(registration), Value::Object(more)) = (&mut registration, more) {
        registration.extend(more);
    }
    let reply = client.post("/v1/agents").key(key).json(&registration).sign(identity).send().await?;
    reply.expect(if reply.status == 200 { 200 } else { 201 })
}

fn variables(
    services: &Services,
    database: &TestDatabase,
    options: &AppOptions,
) -> Result<Vec<(String, String)>> {
    let url = options
        .through
        .as_ref()
        .map_or_else(|| Ok(database.url().to_owned()), |way| way.url(database.url()))?;
    let mut found = vec![
        ("DATABASE_URL", url),
        ("DATABASE_MAX_CONNECTIONS", CONNECTIONS.to_string()),
        // All tests have one address.
        ("RATE_LIMIT_PER_MINUTE", "0".to_owned()),
        ("AUTH_RATE_LIMIT", "0".to_owned()),
        ("PUSH_ALLOW_PRIVATE", "true".to_owned()),
    ];
    found.extend(crate::keys::keys());
    if options.accelerators {
        found.extend([("REDIS_URL", services.valkey()?.url()), ("NATS_URL", services.nats()?.url())]);
    }
    found.retain(|(name, _)| !options.variables.iter().any(|(over, _)| over == name));
    found.extend(options.variables.iter().cloned());
    Ok(found.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// Serves on a free port. The URL of the first API becomes the public URL of all replicas.
async fn serve(
    variables: &mut Vec<(String, String)>,
    clock: &Clock,
    stop: &CancellationToken,
) -> Result<(Client, JoinHandle<Result<()>>)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    if !variables.iter().any(|(name, _)| name == "PUBLIC_URL") {
        variables.push(("PUBLIC_URL".to_owned(), url.clone()));
    }
    let config = api::Config::from_pairs(variables.clone())?;
    let serving: JoinHandle<Result<()>> =
        tokio::spawn(api::serve_at(config, listener, stop.clone(), clock.clone()));
    Ok((Client::new(url.parse()?, clock.clone())?, serving))
}
