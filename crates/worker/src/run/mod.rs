//! One run of a job: the apalis worker, its layers from the outside in, and the handler.

mod deadline;
mod handler;
mod panic;
mod worker;

pub(crate) use worker::{register, restart};
