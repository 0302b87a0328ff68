//! The process that makes load. Its arguments tell it what to do, and it prints what it counted as
//! one JSON object.

use std::{net::SocketAddr, process::Stdio};

use anyhow::{Context, Result, ensure};
use clap::Subcommand;

use super::drive::Counted;

/// A load, and how it is made.
#[derive(Debug, Clone, Subcommand)]
pub enum Load {
    /// `GET` of one path, over and over, on each of a number of connections.
    Get {
        /// The server.
        address: SocketAddr,
        /// The path.
        path: String,
        /// The number of connections.
        connections: usize,
        /// The duration.
        seconds: u64,
        /// The API key to ask with.
        #[arg(long)]
        key: Option<String>,
    },
    /// One `SELECT` of an agent, by sqlx.
    Select {
        /// The database.
        url: String,
        /// The project.
        project: kernel::ids::ProjectId,
        /// The agent's DID.
        did: String,
        /// The number of connections.
        connections: usize,
        /// The duration.
        seconds: u64,
        /// Use a transaction that assumes role and tenant, as the product's does.
        #[arg(long)]
        as_tenant: bool,
    },
    /// Intents over HTTP, signed beforehand.
    Intents {
        /// The server.
        address: SocketAddr,
        /// The project's key.
        key: String,
        /// The number of connections, each with a sender of its own.
        connections: usize,
        /// The duration.
        seconds: u64,
    },
    /// Seals over HTTP.
    Seals {
        /// The project's key.
        key: String,
        /// The number of callers, each on a connection of its own.
        callers: usize,
        /// The duration.
        seconds: u64,
        /// The replicas.
        addresses: Vec<SocketAddr>,
    },
    /// The same bytes as rows, by sqlx.
    Rows {
        /// The database.
        url: String,
        /// The number of callers, who share connections.
        callers: usize,
        /// The duration.
        seconds: u64,
        /// Chain each row to the one before by its hash.
        #[arg(long)]
        chained: bool,
    },
    /// The statements of an accepted intent, by sqlx.
    Statements {
        /// The database.
        url: String,
        /// The project.
        project: kernel::ids::ProjectId,
        /// The number of connections.
        connections: usize,
        /// The duration.
        seconds: u64,
    },
}

impl Load {
    /// Makes the load in a process of its own.
    ///
    /// # Errors
    /// Fails when the load fails there.
    pub async fn in_own_process(&self) -> Result<Counted> {
        let output = tokio::process::Command::new(std::env::current_exe()?)
            .arg("load")
            .args(self.arguments())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await?;
        ensure!(output.status.success(), "the load failed");
        serde_json::from_slice(&output.stdout).context("the load did not say what it counted")
    }

    fn arguments(&self) -> Vec<String> {
        match self {
            Load::Get { address, path, connections, seconds, key } => {
                let key = key.iter().map(|key| format!("--key={key}"));
                let fixed = [
                    "get".into(),
                    address.to_string(),
                    path.clone(),
                    connections.to_string(),
                    seconds.to_string(),
                ];
                fixed.into_iter().chain(key).collect()
            }
            Load::Select { url, project, did, connections, seconds, as_tenant } => {
                let fixed = ["select".into(), url.clone(), project.to_string(), did.clone()];
                let counts = [connections.to_string(), seconds.to_string()];
                fixed.into_iter().chain(counts).chain(as_tenant.then(|| "--as-tenant".to_owned())).collect()
            }
            Load::Intents { address, key, connections, seconds } => {
                vec![
                    "intents".into(),
                    address.to_string(),
                    key.clone(),
                    connections.to_string(),
                    seconds.to_string(),
                ]
            }
            Load::Seals { addresses, key, callers, seconds } => {
                let fixed = ["seals".into(), key.clone(), callers.to_string(), seconds.to_string()];
                fixed.into_iter().chain(addresses.iter().map(SocketAddr::to_string)).collect()
            }
            Load::Rows { url, chained, callers, seconds } => {
                let fixed = ["rows".into(), url.clone(), callers.to_string(), seconds.to_string()];
                fixed.into_iter().chain(chained.then(|| "--chained".to_owned())).collect()
            }
            Load::Statements { url, project, connections, seconds } => {
                vec![
                    "statements".into(),
                    url.clone(),
                    project.to_string(),
                    connections.to_string(),
                    seconds.to_string(),
                ]
            }
        }
    }
}
