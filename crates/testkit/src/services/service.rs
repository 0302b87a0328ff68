//! One service: a server on a loopback port that can be stopped, killed, frozen and started again
//! on the same port and data.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use kernel::{Clock, Ids};
use tokio::sync::Mutex;

use super::{kind::Kind, site::Site};
use crate::process::{Process, describe};

/// The time in which a server must answer after its start.
const START_TIMEOUT: Duration = Duration::from_secs(30);
/// The most attempts at a port, when another process takes each one first.
const PORT_ATTEMPTS: u32 = 8;

/// A server that was started here. Dropping it ends the server.
#[derive(Debug)]
pub struct Service {
    kind: Kind,
    port: u16,
    site: Site,
    command: Vec<String>,
    process: Mutex<Option<Process>>,
}

impl Service {
    /// Starts a server on a free port.
    pub(crate) async fn start_new(
        kind: Kind,
        site: Site,
        command: impl Fn(u16, &Path) -> Vec<String>,
    ) -> Result<Self> {
        let mut attempts = 0;
        loop {
            let port = free_port()?;
            let command = command(port, &site.folder);
            let mut service = Self { kind, port, site: site.clone(), command, process: Mutex::new(None) };
            attempts += 1;
            match service.start().await {
                Ok(()) => return Ok(service),
                Err(_) if attempts < PORT_ATTEMPTS && site.tail().contains("ddress already in use") => {
                    fs::write(site.log(), "")?;
                    // Otherwise its end would remove the folder that the next attempt needs.
                    service.site.scratch = false;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns "Postgres", "Valkey" or "NATS".
    pub fn name(&self) -> &'static str {
        self.kind.name()
    }

    /// Returns its URL, which stays the same when it is started again.
    pub fn url(&self) -> String {
        self.kind.url(self.port)
    }

    /// Returns its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the server's process id while it runs.
    pub async fn pid(&self) -> Option<i32> {
        self.process.lock().await.as_ref().map(Process::pid)
    }

    /// Starts it on its port and data, unless it runs, and waits until it answers.
    ///
    /// # Errors
    /// Fails when it ends instead, with the tail of its log.
    pub async fn start(&self) -> Result<()> {
        let mut slot = self.process.lock().await;
        if let Some(process) = slot.as_mut()
            && process.status()?.is_none()
        {
            return Ok(());
        }
        let process = slot.insert(self.site.run(self.command.clone(), self.kind.stop_signal())?);
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let answer = tokio::time::timeout(Duration::from_secs(1), self.kind.answers(self.port)).await;
            // The end is checked first: another process that took the port may answer.
            if let Some(status) = process.status()? {
                let words = self.site.tail();
                bail!("{} {} at its start. Its last words:\n  {words}", self.name(), describe(status));
            }
            if let Ok(Ok(())) = answer {
                return Ok(());
            }
            if Instant::now() > deadline {
                bail!("{} runs but does not answer; its log is {}", self.name(), self.site.log().display());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Stops it in order, so that it can be started again.
    ///
    /// # Errors
    /// Fails when it can be neither stopped nor killed.
    pub async fn stop(&self) -> Result<()> {
        match self.process.lock().await.take() {
            Some(mut process) => process.stop().await.map(drop),
            None => Ok(()),
        }
    }

    /// Kills it as a crash of the machine would.
    ///
    /// # Errors
    /// Fails when it does not die.
    pub async fn kill(&self) -> Result<()> {
        match self.process.lock().await.take() {
            Some(mut process) => process.kill().await.map(drop),
            None => Ok(()),
        }
    }

    /// Halts it: connections stay open, the kernel accepts new ones, and nothing answers.
    ///
    /// # Errors
    /// Fails when it is not running.
    pub async fn freeze(&self) -> Result<()> {
        self.running(Process::freeze).await
    }

    /// Resumes a frozen server.
    ///
    /// # Errors
    /// Fails when it is not running.
    pub async fn thaw(&self) -> Result<()> {
        self.running(Process::thaw).await
    }

    /// Makes an accelerator forget everything: Valkey at once, NATS by a restart with an empty
    /// store.
    ///
    /// # Errors
    /// Fails for Postgres, which never forgets, and when the accelerator does not answer.
    pub async fn flush(&self) -> Result<()> {
        match self.kind {
            Kind::Postgres => bail!("Postgres holds the truth: take a new database instead"),
            Kind::Valkey => {
                let client = redis::Client::open(self.url())?;
                let mut connection = client.get_multiplexed_async_connection().await?;
                Ok(redis::cmd("FLUSHALL").query_async::<()>(&mut connection).await?)
            }
            Kind::Nats => {
                self.stop().await?;
                let store = self.site.folder.join("jetstream");
                if store.exists() {
                    fs::remove_dir_all(store)?;
                }
                self.start().await
            }
        }
    }

    async fn running(&self, act: impl FnOnce(&Process) -> Result<()>) -> Result<()> {
        match self.process.lock().await.as_ref() {
            Some(process) => act(process),
            None => bail!("{} is not running", self.name()),
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.process.get_mut().take());
        if self.site.scratch {
            // The process' shell has removed it already, unless the service was stopped before.
            let _ = fs::remove_dir_all(&self.site.folder);
        }
    }
}

/// Returns a port that nobody listens on, outside the range that systems give to outgoing
/// connections, so that a stopped server finds its port free again.
fn free_port() -> Result<u16> {
    let ids = Ids::new(Clock::system());
    for _ in 0..64 {
        let port = 15_000 + u16::from_be_bytes(ids.bytes()) % 17_000;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port on 127.0.0.1 between 15000 and 32000")
}
