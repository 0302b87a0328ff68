//! Who is calling: extractors that prove it before a handler runs, so that a handler cannot forget to.
//!
//! | extractor | takes | for |
//! |---|---|---|
//! | [`Member`] | the project's API key, or an agent's signature | reading the registry |
//! | [`Signed`], [`SignedBy`] | an agent's signature, over the body too where there is one | what agents do |
//! | [`Registering`] | the project's API key and the signature of the key in the body | registration |
//!
//! A signature alone names its project by the DID; where several projects have that DID, the `Holdfast-Project` header or the project's API key
//! says which is meant.

mod credentials;
mod member;
mod registering;
mod request;
mod signed;

pub use credentials::Credentials;
pub use member::Member;
pub use registering::Registering;
pub use signed::{Signed, SignedBy};
