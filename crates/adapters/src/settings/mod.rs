//! Configuration: environment variables, one `clap` struct a program, whose doc comments are the
//! help.
//!
//! A wrong value stops the start with one line that names the variable, what it held (secrets
//! masked) and what it wants. An empty variable counts as unset, since platforms set them so.

mod dependencies;
mod environment;
mod masked;
mod parse;
mod values;

pub use self::{
    dependencies::Dependencies,
    environment::{Environment, LogFormat},
    masked::{DatabaseUrl, Masked},
    parse::{Invalid, describe, environment, parse},
    values::public_url,
};
