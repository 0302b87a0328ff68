//! The mails of accounts, and the tokens in their links. A token is made when its mail is sent, and
//! only its digest is kept.

mod model;
mod prepare;
mod store;
mod token;

pub mod jobs;

pub(super) use model::Purpose;
pub use prepare::prepare;
pub(super) use store::{consume_all, consume_token, find_account, prune};
pub(super) use token::token_digest;
