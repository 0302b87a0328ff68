//! No data route before the database has the schema that this build needs: its SQL would fail in ways that say nothing.

use std::sync::{Arc, OnceLock};

use adapters::health::Status;
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::{Code, Error};

use crate::{problem::Problem, state::AppState};

/// Whether the schema was ever seen to be current. It then stays so: migrations only go forward, and old builds run on newer schemas.
#[derive(Clone, Default)]
pub struct Schema(Arc<OnceLock<()>>);

/// Answers 503 at once, under the version prefixes, until Postgres was reached and had every migration of this build.
pub async fn wait_for_schema(
    State((state, schema)): State<(AppState, Schema)>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let holds_data = path.starts_with("/v1/") || path.starts_with("/api/v1/");
    if holds_data && schema.0.get().is_none() {
        let snapshot = state.health.snapshot().await;
        if !snapshot.schema_current {
            return Problem::from(not_yet(snapshot.database.status)).into_response();
        }
        let _ = schema.0.set(());
    }
    next.run(request).await
}

fn not_yet(database: Status) -> Error {
    match database {
        Status::Ok => Error::new(
            Code::Unavailable,
            "The database's schema is older than this build; an operator must run `api migrate`",
        )
        .retry_after(std::time::Duration::from_secs(5)),
        Status::Error | Status::Disabled => Error::unavailable("Postgres was not reached since the start"),
    }
}
