//! One file for each noun: its handlers, their documentation, and the bodies that only they use.

pub mod about;
pub mod accounts;
pub mod agents;
pub mod audit;
pub mod health;
pub mod inbox;
pub mod intents;
pub mod invitations;
pub mod keys;
pub mod me;
pub mod members;
pub mod organizations;
pub mod passkeys;
pub mod projects;
pub mod sessions;
pub mod vault;
