//! The HTTP program, from outside: a real listener on a port of its own for each test.
//!
//! One binary, so that all of it links once. A module an area; `harness` starts the server and
//! checks what every answer must hold.
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
mod people;
mod permissions;
mod problems;
mod program;
mod promises;
mod sessions;
mod slow;
mod vault;
