//! The declaration of a route: once, by its handler.
//!
//! `#[utoipa::path]` gives method, path, tag and words. Everything else follows from the handler's
//! types: each extractor and each reply implements [`Describe`], which adds its parameters,
//! headers, credentials and error codes to the [`OperationDoc`]. [`operation!`](crate::operation)
//! adds the codes of the use case, beside the handler. So do the attributes that the edge reads.

mod attributes;
mod describe;
mod documented;
mod operation;
mod operation_doc;
mod problems;
mod routes;
mod shared;

pub use attributes::{Attributes, RouteTable};
pub use describe::Describe;
pub use operation::Operation;
pub use operation_doc::OperationDoc;
pub use routes::{Built, OperationCodes, Routes};
