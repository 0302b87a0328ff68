//! The check of a log: everything that is stored about it is derived anew from the entries, and
//! compared.
//!
//! Entries below a size never change, so a check is about the head that it finds, and appends
//! continue meanwhile. Entries are read once, in batches, each with all rows that belong to it in a
//! transaction that sees one moment: an erasure or a decision is seen together with the entry that
//! records it, or not at all.

mod about;
mod audit;
mod batch;
mod check;
mod finding;
mod known;
mod logs;
mod model;
mod personal;
mod proposals;
mod published;
mod read;
mod report;
mod rest;
mod roots;
mod run;
mod sealed;
mod store;
mod tags;
mod tiles;

pub use about::About;
pub use check::{Check, check};
pub use finding::Finding;
pub use known::{KnownHead, NotAKnownHead};
pub use logs::{check_all, check_counts, logs, save};
pub use model::CheckCounts;
pub use report::Report;
