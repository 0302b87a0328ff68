//! The promise of a backup: `scripts/restore.sh` gives back what `scripts/backup.sh` took, and the
//! API answers as before, byte for byte. The scripts refuse what they cannot do well, say why, and
//! have changed nothing.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    env, fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use dev::app::register;
use domain::identity;
use kernel::{Clock, Db};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tempfile::TempDir;
use testkit::{
    Client, Identity,
    services::{Options, Postgres, Services, shared},
    test_core,
};
use tokio::{net::TcpListener, process::Command};
use tokio_util::sync::CancellationToken;

/// A folder for backups, and the scripts with everything they need beside them.
struct Scripts {
    folder: TempDir,
    path: String,
}

impl Scripts {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        // The `api` that restore.sh asks about the schema.
        let api = folder.path().join("api");
        fs::write(&api, format!("#!/bin/sh\nexec '{}' api \"$@\"\n", env!("CARGO_BIN_EXE_dev"))).unwrap();
        fs::set_permissions(&api, fs::Permissions::from_mode(0o755)).unwrap();
        let programs = shared().await.unwrap().postgres.programs();
        let path =
            format!("{}:{}:{}", programs.display(), folder.path().display(), env::var("PATH").unwrap());
        Self { folder, path }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, script: &str, arguments: &[&str], database: &str) -> Command {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(script);
        let mut command = Command::new("/bin/bash");
        command.arg(script).args(arguments).env_clear().env("PATH", &self.path).env("DATABASE_URL", database);
        command.current_dir(&self.folder).stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    async fn run(&self, script: &str, arguments: &[&str], database: &str) {
        let output = self.command(script, arguments, database).output().await.unwrap();
        assert!(output.status.success(), "{}", complaint(&output));
    }

    async fn refuses(&self, script: &str, arguments: &[&str], database: &str, said: &str) {
        refused(&self.command(script, arguments, database).output().await.unwrap(), said);
    }
}

/// Checks that a script refused. Its own line is the last one; lines of Postgres' tools may precede
/// it.
fn refused(output: &Output, said: &str) {
    let complaint = complaint(output);
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(
        complaint.lines().next_back().unwrap().contains(said),
        "{said:?} is not what was said: {complaint}"
    );
}

fn complaint(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn a_restored_backup_answers_byte_for_byte_and_what_is_wrong_changes_nothing() {
    let scripts = Scripts::new().await;
    let source = &shared().await.unwrap().postgres;
    let origin = database(source, "origin").await;
    migrate(&origin).await;
    let api = Api::start(&origin).await;
    let asked = Asked::of(&api.client, &project(&origin).await).await;
    let before = asked.answers(&api.client).await;

    // The script refuses, because it would be half a backup: row-level security hides the projects
    // from such a role.
    superuser(source, "ALTER ROLE owner NOBYPASSRLS").await;
    scripts.refuses("backup.sh", &["dump"], &origin, "BYPASSRLS").await;
    assert!(!scripts.file("dump").exists() && !scripts.file("dump.sha256").exists());
    superuser(source, "ALTER ROLE owner BYPASSRLS").await;
    scripts.run("backup.sh", &["dump"], &origin).await;
    scripts.refuses("backup.sh", &["dump"], &origin, "never overwritten").await;

    // A cluster of its own, as after a disaster, without any of our roles.
    let other = Services::start(Options { valkey: false, nats: false, ..Options::testing() }).await.unwrap();
    let target = database(&other.postgres, "target").await;
    damaged_copy(&scripts);
    scripts.refuses("restore.sh", &["damaged"], &target, "the backup is damaged; nothing was restored").await;
    assert_eq!(relations(&target).await, 0);

    scripts.run("restore.sh", &["dump"], &target).await;
    let restored = Api::start(&target).await;
    assert_eq!(asked.answers(&restored.client).await, before);

    scripts.refuses("restore.sh", &["dump"], &target, "the database is not empty").await;
    assert_eq!(asked.answers(&restored.client).await, before);
}

#[tokio::test]
async fn without_the_aws_cli_nothing_is_uploaded_nor_dumped() {
    let scripts = Scripts::new().await;
    let tools = scripts.file("tools");
    fs::create_dir(&tools).unwrap();
    for tool in ["sha256sum", "shasum"] {
        symlink("/bin/sh", tools.join(tool)).unwrap();
    }
    let mut command =
        scripts.command("backup.sh", &["--s3", "s3://bucket/prefix", "dump"], "postgres://127.0.0.1:1/x");
    // The path holds these tools only, whatever else this machine has installed.
    let programs = shared().await.unwrap().postgres.programs();
    command.env("PATH", format!("{}:{}", programs.display(), tools.display()));
    refused(&command.output().await.unwrap(), "aws is not installed; pip install awscli");
    assert!(!scripts.file("dump").exists());
}

/// Creates an empty database of a role that is no superuser, as hosts give it: the extension that
/// only a superuser can create is there.
async fn database(postgres: &Postgres, name: &str) -> String {
    superuser(
        postgres,
        "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'owner') THEN \
         CREATE ROLE owner LOGIN CREATEROLE BYPASSRLS PASSWORD 's3cr:t'; END IF; END $$",
    )
    .await;
    superuser(postgres, &format!("CREATE DATABASE {name} OWNER owner")).await;
    let mut connection = PgConnection::connect(&postgres.database_url(name)).await.unwrap();
    connection.execute("CREATE EXTENSION vector").await.unwrap();
    connection.close().await.unwrap();
    postgres.database_url(name).replace("postgres@", "owner:s3cr%3At@")
}

async fn superuser(postgres: &Postgres, sql: &str) {
    let mut connection = PgConnection::connect(&postgres.url()).await.unwrap();
    connection.execute(AssertSqlSafe(sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

async fn migrate(database: &str) {
    let mut connection = PgConnection::connect(database).await.unwrap();
    kernel::MIGRATOR.run(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

/// Creates a project. Returns its key.
async fn project(database: &str) -> String {
    let core = test_core(Db::lazy(database.parse().unwrap(), 1));
    let key = identity::bootstrap(&core, "Kept", "development").await.unwrap().1.reveal();
    core.db.pool().close().await;
    key
}

/// Copies the backup with one byte in the middle changed.
fn damaged_copy(scripts: &Scripts) {
    let mut bytes = fs::read(scripts.file("dump")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(scripts.file("damaged"), bytes).unwrap();
    fs::copy(scripts.file("dump.sha256"), scripts.file("damaged.sha256")).unwrap();
}

/// Returns the number of our tables.
async fn relations(database: &str) -> i64 {
    let mut connection = PgConnection::connect(database).await.unwrap();
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap()
}

/// The API on one database, in this process.
struct Api {
    client: Client,
    stop: CancellationToken,
}

impl Api {
    async fn start(database: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let variables = [
            ("DATABASE_URL", database.to_owned()),
            ("RATE_LIMIT_PER_MINUTE", "0".to_owned()),
            ("PUBLIC_URL", url.clone()),
        ];
        let variables = variables.into_iter().chain(dev::keys::keys());
        let config =
            api::Config::from_pairs(variables.map(|(name, value)| (name.to_owned(), value))).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(api::serve(config, listener, stop.clone()));
        Self { client: Client::new(url.parse().unwrap(), Clock::system()).unwrap(), stop }
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The requests that are made before and after.
struct Asked {
    key: String,
    by_key: Vec<String>,
    by_agent: Vec<(Identity, String)>,
}

impl Asked {
    /// Creates agents and intents, waiting, acknowledged and declined, and lists them all.
    async fn of(client: &Client, key: &str) -> Self {
        let agents: Vec<Identity> = (0..5).map(|_| Identity::generate()).collect();
        for (number, agent) in agents.iter().enumerate() {
            let name = format!("Agent {number}: ünïcödé, \"quotes\" and \\ all");
            register(client, key, agent, &name, json!({})).await.unwrap();
        }
        let mut by_agent = Vec::new();
        for number in 0..20 {
            let (from, to) = (&agents[number % 5], &agents[(number + 1) % 5]);
            let payload = json!({ "number": number, "text": "naïve ☃", "deep": [{ "a": null }, 1.5, true] });
            let intent = client
                .post("/v1/intents")
                .json(&json!({ "to": to.did(), "type": "kept", "payload": payload }));
            let sent: Value = intent.sign(from).send().await.unwrap().expect(202).unwrap();
            by_agent.push((from.clone(), format!("/v1/intents/{}", sent["id"].as_str().unwrap())));
        }
        for agent in &agents[..3] {
            let inbox: Value =
                client.get("/v1/inbox?max=2").sign(agent).send().await.unwrap().expect(200).unwrap();
            for (delivery, verb) in inbox["data"].as_array().unwrap().iter().zip(["ack", "nack"]) {
                let path = format!("/v1/inbox/{}/{verb}", delivery["id"].as_str().unwrap());
                let token = json!({ "lease_token": delivery["lease_token"] });
                let settled = client.post(&path).json(&token).sign(agent).send().await.unwrap();
                assert!(settled.status < 300, "{} {}", settled.status, settled.json());
            }
        }
        let mut by_key: Vec<_> = agents.iter().map(|agent| format!("/v1/agents/{}", agent.did())).collect();
        by_key.extend(["/v1/agents", "/v1/agents?limit=2", "/v1/agents/did:key:zNobody"].map(str::to_owned));
        Self { key: key.to_owned(), by_key, by_agent }
    }

    /// Returns every answer's path, status, version and bytes.
    async fn answers(&self, client: &Client) -> Vec<(String, u16, String, String)> {
        let by_key = self.by_key.iter().map(|path| (path, client.get(path).key(&self.key)));
        let by_agent = self.by_agent.iter().map(|(agent, path)| (path, client.get(path).sign(agent)));
        let mut answers = Vec::new();
        for (path, request) in by_key.chain(by_agent) {
            // Without the header that names this one request.
            let request = request.header("x-request-id", "the-same");
            let reply = request.send().await.unwrap();
            let (version, body) = (reply.header("etag").to_owned(), String::from_utf8(reply.body).unwrap());
            answers.push((path.clone(), reply.status, version, body));
        }
        let found = answers.iter().filter(|(_, status, ..)| *status == 200).count();
        assert_eq!(found, answers.len() - 1, "all but the unknown agent are found: {answers:?}");
        answers
    }
}
