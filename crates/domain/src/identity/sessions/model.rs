//! Sessions, on the wire and in their rows.

use chrono::{DateTime, Utc};
use kernel::{
    clock::Timestamp,
    ids::{SessionId, UserId},
};
use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;

use super::token::RefreshToken;

/// A login that is still valid.
#[derive(Debug, Clone, Serialize, ToSchema, FromRow)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// True for the session that asks.
    #[sqlx(default)]
    pub current: bool,
    /// `password`, `passkey` or `email`.
    pub method: String,
    /// The address it was opened from.
    pub address: String,
    /// The client's name for itself.
    pub user_agent: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// When it was last kept alive.
    pub last_used_at: DateTime<Utc>,
    /// When it ends, if it is not used again.
    pub expires_at: DateTime<Utc>,
}

/// A session that was opened or kept alive, and its next refresh token.
#[derive(Debug)]
pub struct Opened {
    /// The person.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The token for the next refresh, revealed this once.
    pub refresh: RefreshToken,
}

/// A rotation: one refresh token is consumed, and the next takes its place.
pub(super) struct Rotation<'a> {
    pub(super) token: &'a [u8; 32],
    pub(super) next: &'a [u8; 32],
    pub(super) client: &'a [u8; 32],
    pub(super) now: Timestamp,
    pub(super) expires_at: Timestamp,
}

/// A refresh token that was rotated before.
#[derive(FromRow)]
pub(super) struct RotatedRow {
    pub(super) user_id: UserId,
    pub(super) session_id: SessionId,
    pub(super) rotated_at: Timestamp,
    pub(super) rotated_by: Vec<u8>,
    pub(super) lives: bool,
}
