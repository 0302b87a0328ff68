//! A Postgres of our own: a new cluster, and databases cloned from a migrated template.

use std::{
    fs,
    ops::Deref,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use kernel::MIGRATOR;
use nix::sys::signal::Signal;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::sync::OnceCell;

use super::{database::TestDatabase, kind::Kind, options::Options, service::Service, site::Site};
use crate::{process::describe, user::Unprivileged};

const INITDB_TIMEOUT: Duration = Duration::from_secs(60);
const TEMPLATE: &str = "holdfast_template";

/// Postgres 18 with pgvector. It can do everything that a [`Service`] can.
#[derive(Debug)]
pub struct Postgres {
    service: Service,
    programs: PathBuf,
    template: OnceCell<()>,
    clones: AtomicU32,
}

impl Postgres {
    pub(crate) async fn start_new(
        programs: &Path,
        options: &Options,
        user: Option<Unprivileged>,
    ) -> Result<Self> {
        let site = Site::new(Kind::Postgres, options.data.as_deref(), user)?;
        initialize(programs, &site).await?;
        let service = Service::start_new(Kind::Postgres, site, |port, folder| {
            let mut command = vec![programs.join("postgres").display().to_string()];
            command.extend(["-D".to_owned(), folder.join("data").display().to_string()]);
            let mut set = |setting: String| command.extend(["-c".to_owned(), setting]);
            set(format!("port={port}"));
            SETTINGS.iter().for_each(|setting| set((*setting).to_owned()));
            if !options.fsync {
                FORGETFUL.iter().for_each(|setting| set((*setting).to_owned()));
            }
            command
        })
        .await?;
        Ok(Self {
            service,
            programs: programs.to_owned(),
            template: OnceCell::new(),
            clones: AtomicU32::new(0),
        })
    }

    /// Returns it as one of several services.
    pub fn service(&self) -> &Service {
        &self.service
    }

    /// Returns the folder of its programs: `pg_dump`, `psql` and the like.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Returns the URL of one of its databases.
    pub fn database_url(&self, name: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port())
    }

    /// Creates an empty database unless there is one of that name. Returns its URL.
    ///
    /// # Errors
    /// Fails when Postgres refuses it.
    pub async fn create_database(&self, name: &str) -> Result<String> {
        let mut connection = PgConnection::connect(&self.url()).await?;
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(name)
            .fetch_one(&mut connection)
            .await?;
        if !there {
            connection.execute(AssertSqlSafe(format!("CREATE DATABASE \"{name}\""))).await?;
        }
        connection.close().await?;
        Ok(self.database_url(name))
    }

    /// Creates a migrated database of the caller's own. It is cloned in a fraction of the time that
    /// the migrations take.
    ///
    /// # Errors
    /// Fails when Postgres refuses it, and when a migration fails.
    pub async fn database(&self) -> Result<TestDatabase> {
        self.template.get_or_try_init(|| self.make_template()).await?;
        let name = format!("test_{}", self.clones.fetch_add(1, Ordering::Relaxed));
        let mut connection = PgConnection::connect(&self.url()).await?;
        connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))).await?;
        connection.close().await?;
        Ok(TestDatabase::new(self.database_url(&name), self.url(), name))
    }

    async fn make_template(&self) -> Result<()> {
        let mut server = PgConnection::connect(&self.url()).await?;
        server.execute(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)"))).await?;
        server.execute(AssertSqlSafe(format!("CREATE DATABASE {TEMPLATE}"))).await?;
        let mut template = PgConnection::connect(&self.database_url(TEMPLATE)).await?;
        MIGRATOR.run(&mut template).await.context("the migrations failed on an empty database")?;
        template.close().await?;
        server.execute(AssertSqlSafe(format!("ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false"))).await?;
        server.close().await?;
        Ok(())
    }
}

impl Deref for Postgres {
    type Target = Service;

    fn deref(&self) -> &Service {
        &self.service
    }
}

/// The settings of every server: loopback only, and room for the pools of many tests at once.
const SETTINGS: [&str; 6] = [
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "max_connections=500",
    "shared_buffers=128MB",
    "log_min_messages=warning",
    "log_line_prefix=%m [%p] %d ",
];

/// The settings that make commits fast. A commit is still handed to the system before it is
/// acknowledged, so it survives a crash of Postgres.
const FORGETFUL: [&str; 4] = ["fsync=off", "full_page_writes=off", "wal_level=minimal", "max_wal_senders=0"];

/// Creates the cluster beside its place and renames it, so that a half-made cluster is never taken
/// for a whole one.
async fn initialize(programs: &Path, site: &Site) -> Result<()> {
    let (data, unfinished) = (site.folder.join("data"), site.folder.join("data.unfinished"));
    if data.exists() {
        return Ok(());
    }
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished)?;
    }
    let mut command = vec![programs.join("initdb").display().to_string()];
    command.extend(
        ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync", "--no-instructions"]
            .map(str::to_owned),
    );
    // Case and word boundaries beyond ASCII, as a hosted Postgres has them; macOS knows no C.UTF-8.
    command.push(format!("--locale={}", if cfg!(target_os = "macos") { "en_US.UTF-8" } else { "C.UTF-8" }));
    command.push("-D".to_owned());
    command.push(unfinished.display().to_string());
    let mut initdb = site.run(command, Signal::SIGTERM)?;
    let status = initdb.wait(INITDB_TIMEOUT).await?.context("initdb takes longer than a minute")?;
    ensure!(status.success(), "initdb {}. Its last words:\n  {}", describe(status), site.tail());
    fs::rename(unfinished, data)?;
    Ok(())
}
