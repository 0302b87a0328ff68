//! The process that makes a load.

use std::{net::SocketAddr, sync::Arc};

use anyhow::Result;
use http_body_util::Full;
use hyper::Request;

use super::{
    auth,
    drive::{Connection, Counted, RunOnce, connect, drive, exchange},
    intents,
    load::Load,
    vault,
};

/// Makes the load in this process.
///
/// # Errors
/// Fails with the first request that fails, since only work that succeeds may be measured.
pub async fn play(load: Load) -> Result<Counted> {
    match load {
        Load::Get { address, path, connections, seconds, key } => {
            let key = key.map(|key| format!("Bearer {key}"));
            let request = Arc::new((path, key));
            drive(connections, seconds, async |_| {
                Ok(Getter { connection: connect(address).await?, address, request: Arc::clone(&request) })
            })
            .await
        }
        Load::Select { url, project, did, connections, seconds, as_tenant } => {
            auth::by_sqlx(&url, project, &did, as_tenant, connections, seconds).await
        }
        Load::Intents { address, key, connections, seconds } => {
            intents::over_http(address, &key, connections, seconds).await
        }
        Load::Seals { addresses, key, callers, seconds } => {
            vault::over_http(&addresses, &key, callers, seconds).await
        }
        Load::Rows { url, chained, callers, seconds } => {
            vault::by_sqlx(&url, chained, callers, seconds).await
        }
        Load::Statements { url, project, connections, seconds } => {
            intents::by_sqlx(&url, project, connections, seconds).await
        }
    }
}

struct Getter {
    connection: Connection,
    address: SocketAddr,
    /// The path, and the value of `Authorization`.
    request: Arc<(String, Option<String>)>,
}

impl RunOnce for Getter {
    async fn run_once(&mut self) -> Result<()> {
        let (path, authorization) = &*self.request;
        let mut request = Request::get(path).header("host", self.address.to_string());
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let request = request.body(Full::default())?;
        exchange(&mut self.connection, request, 200).await
    }
}
