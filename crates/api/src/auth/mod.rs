//! Who is calling: extractors that prove it before a handler runs, so that a handler cannot forget to.
//!
//! | extractor | takes | for |
//! |---|---|---|
//! | [`Stranger`] | nothing, and few attempts | signing up and logging in |
//! | [`Anyone`] | a refresh token, in the body or the cookie | staying logged in |
//! | [`LoggedIn`] | a person's access token | accounts and organisations |
//! | [`InProject`] | the project's API key, an agent's signature, or a person's access token | what is in a project |
//! | [`With`] | either of those, and a JSON body and `Idempotency-Key` | what they change |
//! | [`Raw`] | either of those, and a body that is read by somebody else | `/mcp` |
//! | [`Signed`], [`SignedBy`] | an agent's signature, over the body too where there is one | what agents do |
//! | [`Registering`] | the project's API key or a person's access token, and the signature of the key in the body | registration |
//!
//! A signature alone names its project by the DID; where several projects have that DID, the `Holdfast-Project` header or the project's API key
//! says which is meant. A person names it by the header, or by the path.

mod bearer;
mod credentials;
mod in_project;
mod person;
mod registering;
mod request;
mod signed;
mod stranger;
mod with;

pub use credentials::Credentials;
pub use in_project::InProject;
pub use person::LoggedIn;
pub use registering::Registering;
pub use signed::{Signed, SignedBy};
pub use stranger::{Anyone, Stranger};
pub use with::{Bare, MAX_KEY, Raw, With, is_idempotency_key};
