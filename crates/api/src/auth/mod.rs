//! Who is calling: extractors that prove it before a handler runs, so that a handler cannot forget
//! to.
//!
//! | extractor | takes | for |
//! |---|---|---|
//! | [`Anonymous`] | nothing, and few attempts | signing up and logging in |
//! | [`AnonymousJson`] | a JSON body, whose secret, if it has one, proves enough | staying logged in |
//! | [`LoggedIn`] | a person's access token | their account |
//! | [`InOrganization`] | a person's access token, with a permission | what is in an organization |
//! | [`InProject`] | an API key, an agent's signature, or a person's access token, with a permission | what is in a project |
//! | [`Signed`] | an agent's signature, with a permission | what agents do |
//! | [`JsonBody`] | any of these callers, and a JSON body | what they change |
//! | [`NoBody`] | any of these callers, and an `Idempotency-Key` | what they change without a body |
//! | [`RawBody`] | [`ProjectCaller`], and a body that somebody else reads | `/mcp` |
//! | [`Registering`] | an API key or a person's access token, and the signature of the key in the body | registration |
//!
//! A signature alone names its project by the DID; where several projects have that DID, the
//! `Holdfast-Project` header or the project's API key says which is meant. A person names it by the
//! header, or by the path.

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
