//! Tiles and bundles of entries as they are served (C2SP tlog-tiles), to anybody who knows the
//! log's id.

use kernel::{
    DbScope,
    caller::Caller,
    error::{Code, Codes, Error, Result},
    ids::{LogId, ProjectId},
};
use sqlx::PgConnection;

use crate::{
    errors::no_log,
    format::{tile_path::tile_width, tree::TILE_WIDTH},
    model::Tile,
    store,
    vault::Vault,
};

/// The codes of [`tile`] and [`bundle`].
pub const TILE_ERRORS: Codes = &[&[Code::NotFound]];

/// Returns a tile as it is served: `width` hashes of a level.
///
/// # Errors
/// [`TILE_ERRORS`], when the log is not that large yet.
pub async fn tile(vault: &Vault, log: LogId, level: u8, n: u64, width: u64) -> Result<Vec<u8>> {
    let project = log.project();
    let anybody = Caller::system(DbScope::Project(project));
    let read = vault.core.read(anybody, async |tx| {
        require_width(tx, project, Tile { level, n }, width).await?;
        store::tiles::hashes_of(tx, project, &[Tile { level, n }]).await
    });
    let bytes = read.await?.into_iter().flat_map(|(_, hashes)| hashes).flat_map(|hash| hash.0);
    let bytes: Vec<u8> = bytes.take(usize::try_from(width).unwrap_or(0) * 32).collect();
    if bytes.len() as u64 == width * 32 { Ok(bytes) } else { Err(Error::internal("a tile lacks hashes")) }
}

/// Returns a bundle of `width` entries as it is served: each as its length in two bytes,
/// big-endian, and its bytes.
///
/// # Errors
/// [`TILE_ERRORS`], when the log is not that large yet.
pub async fn bundle(vault: &Vault, log: LogId, n: u64, width: u64) -> Result<Vec<u8>> {
    let project = log.project();
    let anybody = Caller::system(DbScope::Project(project));
    let read = vault.core.read(anybody, async |tx| {
        require_width(tx, project, Tile { level: 0, n }, width).await?;
        Ok(store::tiles::entries(tx, project, n * TILE_WIDTH, width).await?)
    });
    let entries = read.await?;
    let mut bundle = Vec::with_capacity(entries.iter().map(|entry| entry.len() + 2).sum());
    for entry in &entries {
        bundle.extend_from_slice(&u16::try_from(entry.len()).map_err(Error::internal)?.to_be_bytes());
        bundle.extend_from_slice(entry);
    }
    if entries.len() as u64 == width { Ok(bundle) } else { Err(Error::internal("a bundle lacks entries")) }
}

/// Requires that the log has grown to that many hashes of the tile.
async fn require_width(tx: &mut PgConnection, project: ProjectId, tile: Tile, width: u64) -> Result<()> {
    let head = store::heads::newest(tx, project).await?.ok_or_else(no_log)?;
    if tile_width(head.size, tile.level, tile.n) < width {
        return Err(Error::new(Code::NotFound, "The log has not grown to that tile"));
    }
    Ok(())
}
