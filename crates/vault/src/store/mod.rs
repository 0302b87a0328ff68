//! The SQL of the vault, a file for each subject. It imports the model alone.

pub(crate) mod append;
pub(crate) mod audit;
pub(crate) mod cosignatures;
pub(crate) mod filter;
pub(crate) mod heads;
pub(crate) mod meta_log;
pub(crate) mod outbox;
pub(crate) mod personal;
pub(crate) mod proposals;
pub(crate) mod seals;
pub(crate) mod tiles;
