//! One run of a job: apalis' worker and its layers, from the outside in, down to the handler.

mod deadline;
mod handler;
mod panic;
mod worker;

pub(crate) use worker::{register, restart};
