//! The HTTP program, from outside: a real listener on a port of its own for each test.
//!
//! All tests are one binary, so that everything links once. Each area is a module; `harness` starts
//! the server and checks the promises of every answer.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod accounts;
mod agents;
mod audit;
mod bad_input;
mod codes;
mod config;
mod cors;
mod document;
mod harness;
mod headers;
mod health;
mod idempotency;
mod inbox;
mod intents;
mod invitations;
mod keys;
mod limits;
mod mcp;
mod openapi;
mod organizations;
mod passkeys;
mod people;
mod permissions;
mod problems;
mod program;
mod promises;
mod rules;
mod sessions;
mod slow;
mod vault;
