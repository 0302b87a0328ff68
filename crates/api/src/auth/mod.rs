//! Extractors that prove who calls before a handler runs, so that a handler cannot forget it.
//!
//! | extractor | takes | for |
//! |---|---|---|
//! | [`Anonymous`] | nothing, and few attempts | signing up and logging in |
//! | [`AnonymousJson`] | a JSON body, whose secret, if any, proves enough | staying logged in |
//! | [`LoggedIn`] | a person's access token | their account |
//! | [`InOrganization`] | a person's access token, with a permission | an organization |
//! | [`InProject`] | a key, a signature or an access token, with a permission | a project |
//! | [`Signed`] | an agent's signature, with a permission | acts of agents |
//! | [`JsonBody`] | one of these callers, and a JSON body | changes |
//! | [`NoBody`] | one of these callers, and an `Idempotency-Key` | changes without a body |
//! | [`RawBody`] | [`ProjectCaller`], and a body that rmcp reads | `/mcp` |
//! | [`Registering`] | a key or an access token, and the new agent's signature | registration |
//!
//! A key is a project's API key, a signature an agent's, and an access token a person's. A
//! signature alone names its project by the DID; if several projects have that DID, the
//! `Holdfast-Project` header or the project's API key selects one. A person names the project by
//! the header, or by the path.

mod anonymous;
mod bearer;
mod body;
mod cache;
mod codes;
mod credentials;
mod idempotency;
mod in_organization;
mod in_project;
mod person;
mod registering;
mod request;
mod signature;
mod signed;

pub use anonymous::{Anonymous, AnonymousJson};
pub use body::{JsonBody, NoBody, RawBody};
pub use cache::Cached;
pub use credentials::Credentials;
pub use idempotency::{MAX_KEY, is_idempotency_key};
pub use in_organization::InOrganization;
pub use in_project::{InProject, ProjectCaller};
pub use person::LoggedIn;
pub use registering::Registering;
pub use signed::Signed;
