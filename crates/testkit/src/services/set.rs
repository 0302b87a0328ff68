//! Services that are started and stopped together.

use std::path::PathBuf;

use anyhow::{Context, Result};
use tokio::sync::OnceCell;

use super::{kind::Kind, options::Options, postgres::Postgres, service::Service, site::Site};
use crate::{user, wheels};

/// Running services. Dropping them ends them and removes their temporary folders.
#[derive(Debug)]
pub struct Services {
    /// The database, which is always there.
    pub postgres: Postgres,
    valkey: Option<Service>,
    nats: Option<Service>,
}

impl Services {
    /// Fetches the programs when they are not here yet, and starts the services side by side. Each
    /// of them answers when this returns.
    ///
    /// # Errors
    /// Fails with one sentence for what is missing or did not start.
    pub async fn start(options: Options) -> Result<Self> {
        let programs = tokio::task::spawn_blocking(wheels::programs).await??;
        let user = user::unprivileged()?;
        let accelerator = async |kind, program: Option<&PathBuf>, wanted| match program {
            Some(program) if wanted => {
                let site = Site::new(kind, options.data.as_deref(), user)?;
                Service::start_new(kind, site, |port, folder| kind.command(program, port, folder))
                    .await
                    .map(Some)
            }
            _ => Ok(None),
        };
        let (postgres, valkey, nats) = tokio::try_join!(
            Box::pin(Postgres::start_new(&programs.postgres, &options, user)),
            Box::pin(accelerator(Kind::Valkey, programs.valkey.as_ref(), options.valkey)),
            Box::pin(accelerator(Kind::Nats, programs.nats.as_ref(), options.nats)),
        )?;
        Ok(Self { postgres, valkey, nats })
    }

    /// Returns the Redis server.
    ///
    /// # Errors
    /// Fails when it is not among these services.
    pub fn valkey(&self) -> Result<&Service> {
        self.valkey.as_ref().context("Valkey is not among these services")
    }

    /// Returns the NATS server.
    ///
    /// # Errors
    /// Fails when it is not among these services.
    pub fn nats(&self) -> Result<&Service> {
        self.nats.as_ref().context("NATS is not among these services")
    }

    /// Returns every service that was started.
    pub fn all(&self) -> impl Iterator<Item = &Service> {
        [Some(self.postgres.service()), self.valkey.as_ref(), self.nats.as_ref()].into_iter().flatten()
    }

    /// Stops all of them, each with the signal that suits it best.
    ///
    /// # Errors
    /// Fails when one of them can be neither stopped nor killed.
    pub async fn stop(&self) -> Result<()> {
        for service in self.all() {
            service.stop().await?;
        }
        Ok(())
    }
}

/// Returns the services that all tests of this process share. They start on the first call and end
/// with the process.
///
/// # Errors
/// Fails as [`Services::start`] does; the next call tries again.
pub async fn shared() -> Result<&'static Services> {
    static SHARED: OnceCell<Services> = OnceCell::const_new();
    SHARED
        .get_or_try_init(|| {
            open_many_files();
            Services::start(Options::testing())
        })
        .await
}

/// Raises the limit of open files as far as the system allows. Clients and servers of a test share
/// one process, and an ordinary user's shell limits it to some 1,024 files.
fn open_many_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    // Where this is refused, whatever needs more files reports it.
    let _ = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most));
}
