//! Witnesses of the vault's logs, asked by HTTP for their cosignatures (C2SP tlog-witness).
//!
//! An operator names them and trusts them with nothing but their own word. What they answer is
//! bounded, and is taken for a cosignature only once `vault` has verified it. No redirect is
//! followed.

mod answer;
mod client;
mod endpoint;
mod list;

pub use self::{
    client::HttpWitness,
    endpoint::{NotAWitness, WitnessEndpoint},
    list::{NotWitnesses, Witnesses},
};

#[cfg(test)]
mod tests;
