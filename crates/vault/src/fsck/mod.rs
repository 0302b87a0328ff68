//! Checking a log: everything that is stored about it is made anew from the entries, and compared.
//!
//! Entries below a size never change, so a check is about the head that it finds, and appends go on
//! meanwhile. Entries are read once, in batches, each with all that belongs to it in a transaction
//! that sees one moment: what is erased or decided meanwhile is seen with the entry that says so,
//! or not at all.

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
