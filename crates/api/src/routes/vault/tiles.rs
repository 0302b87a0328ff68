//! The tiles of a log.

use axum::{
    extract::{FromRequestParts, RawPathParams, State},
    http::request::Parts,
};
use kernel::{Code, Error, Result, ids::LogId};
use utoipa::openapi::{ObjectBuilder, schema::Type};
use vault::format::tile_path::TilePath;

use crate::{
    extract::path_value,
    problem::Problem,
    reply::{IMMUTABLE, Public},
    route::{Describe, OperationDoc},
    state::AppState,
};

/// A tile's log, and its path below `tile/`.
#[derive(Debug)]
pub(super) struct TileAt {
    log: LogId,
    path: TilePath,
}

impl<S: Send + Sync> FromRequestParts<S> for TileAt {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let log = path_value(parts).await?;
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(Error::internal)?;
        let of_tile = params.iter().filter(|(name, _)| ["level", "tile", "rest"].contains(name));
        let path = of_tile.map(|(_, text)| text).collect::<Vec<_>>().join("/");
        let path = path.parse().map_err(|error| Error::new(Code::NotFound, format!("The path {error}")))?;
        Ok(Self { log, path })
    }
}

impl Describe for TileAt {
    fn describe(doc: &mut OperationDoc) {
        crate::extract::Path::<LogId>::describe(doc);
        let text = |pattern: &str, longest| {
            let schema = ObjectBuilder::new().schema_type(Type::String);
            schema.max_length(Some(longest)).pattern(Some(pattern))
        };
        doc.path_text("level", text("^([0-7]|entries)$", 7), "The level of hashes, or `entries`");
        doc.path_text("tile", text("^[0-9]{3}$", 3), "The tile's number");
    }
}

/// Get a tile of a log
///
/// A tile has 256 hashes of a level; one of the level `entries` has 256 entries, each after its
/// length in two bytes. The number has three digits; a larger one is written in groups, as
/// `x001/234`. A tile that is not full yet has `.p/` and its width at the end (C2SP tlog-tiles).
#[utoipa::path(get, path = "/vault/logs/{log}/tile/{level}/{tile}", tag = "vault")]
pub(super) async fn get_tile(
    State(state): State<AppState>,
    TileAt { log, path }: TileAt,
) -> Result<Public<IMMUTABLE, Vec<u8>>, Problem> {
    Ok(Public(match path.level {
        Some(level) => vault::tile(&state.vault, log, level, path.n, path.width).await?,
        None => vault::bundle(&state.vault, log, path.n, path.width).await?,
    }))
}
