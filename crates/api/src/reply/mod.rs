//! Replies: they know their status and headers, and document themselves.
//!
//! | reply | status | shows |
//! |---|---|---|
//! | [`Found`] | 200 | a resource as it stands, with its `ETag` |
//! | `Json` | 200 | anything else |
//! | [`Listed`] | 200 | a page of a list, with its `Link` |
//! | [`Text`] | 200 | plain text |
//! | [`Public`] | 200 | content for caches and for pages of any origin |
//! | [`Created`], [`Accepted`], [`Upserted`] | 201, 202, 200 | the answer to a repeatable request |
//! | [`Queued`] | 202 | something that will be done |
//! | [`NoContent`] | 204 | nothing |

mod answered;
mod content;
mod found;
mod json;
mod listed;
mod no_content;
mod public;
mod queued;
mod text;

pub use answered::{Accepted, Created, Upserted, set_replayed};
pub use found::Found;
pub use listed::Listed;
pub use no_content::NoContent;
pub use public::{IMMUTABLE, Public};
pub use queued::Queued;
pub use text::Text;
