//! The connection to Qdrant.

use std::time::Duration;

use url::Url;

use crate::guard::{Driver, Failure};

/// Shorter than the guard's, so that the client itself notices a dead connection, and opens another
/// for the next call.
const LIMIT: Duration = Duration::from_millis(200);

/// A client of Qdrant. It connects when first used.
pub(crate) struct Qdrant {
    client: Result<qdrant_client::Qdrant, Failure>,
}

impl Qdrant {
    /// Creates a client. A `url` that gRPC cannot use makes every probe fail.
    pub(crate) fn new(url: &Url, api_key: Option<String>) -> Self {
        let client = qdrant_client::Qdrant::from_url(url.as_str())
            .api_key(api_key)
            .timeout(LIMIT)
            .connect_timeout(LIMIT)
            .skip_compatibility_check()
            .build()
            .map_err(Failure::from);
        Self { client }
    }
}

impl Driver for Qdrant {
    const NAME: &'static str = "qdrant";

    async fn probe(&self) -> Result<(), Failure> {
        self.client.as_ref().map_err(Clone::clone)?.health_check().await?;
        Ok(())
    }
}
