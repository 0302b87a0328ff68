//! Files of a page that are compiled in, served under an address that changes with their content.

use std::collections::BTreeMap;

use axum::{
    Router,
    http::{HeaderMap, HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get},
};
use bytes::Bytes;
use kernel::crypto::sha256;

/// The policy of pages: scripts, styles and images of this origin only, nothing inline, and no form
/// that is sent. Where browsers know trusted types, no text becomes markup, whatever a script does.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// A file or a page.
#[derive(Clone)]
pub(super) struct Asset {
    kind: &'static str,
    body: Bytes,
}

impl Asset {
    /// Creates an asset. The end of its name gives its type.
    pub(super) fn new(name: &str, body: impl Into<Bytes>) -> Self {
        let kind = match name.rsplit_once('.') {
            Some((_, "html")) => "text/html; charset=utf-8",
            Some((_, "js")) => "text/javascript; charset=utf-8",
            Some((_, "css")) => "text/css; charset=utf-8",
            Some((_, "svg")) => "image/svg+xml",
            Some((_, "json")) => "application/json",
            _ => "application/octet-stream",
        };
        Self { kind, body: body.into() }
    }

    /// Serves it forever: its address changes with its content.
    fn immutable<S: Clone + Send + Sync + 'static>(self) -> MethodRouter<S> {
        let headers = [
            (header::CONTENT_TYPE, self.kind),
            (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
        ];
        get(move || async move { (headers, self.body) })
    }

    /// Serves it with an `ETag`. Clients ask again each time, and learn when nothing changed.
    pub(super) fn revalidated<S: Clone + Send + Sync + 'static>(self) -> MethodRouter<S> {
        let tag = format!("\"{}\"", digest([self.body.as_ref()]));
        get(move |asked: HeaderMap| async move { self.answer(&asked, tag) })
    }

    fn answer(self, asked: &HeaderMap, tag: String) -> Response {
        let is_known = knows(asked, &tag);
        let headers: [(HeaderName, String); 3] = [
            (header::ETAG, tag),
            (header::CACHE_CONTROL, "public, no-cache".to_owned()),
            (header::CONTENT_SECURITY_POLICY, POLICY.to_owned()),
        ];
        if is_known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (headers, [(header::CONTENT_TYPE, self.kind)], self.body).into_response()
    }
}

/// Checks whether the client has the version that the tag names.
fn knows(asked: &HeaderMap, tag: &str) -> bool {
    let tags = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    tags.flat_map(|value| value.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag)
}

/// Names content by its hash.
fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let whole: Vec<u8> = parts.into_iter().flat_map(sha256).collect();
    sha256(&whole).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// The files that a page loads.
pub(super) struct Bundle {
    /// The address that their names are appended to.
    base: String,
    assets: BTreeMap<&'static str, Asset>,
}

impl Bundle {
    /// Collects files; `prefix` begins their address.
    pub(super) fn new(prefix: &str, assets: BTreeMap<&'static str, Asset>) -> Self {
        let parts = assets.iter().flat_map(|(name, asset)| [name.as_bytes(), asset.body.as_ref()]);
        let base = format!("{prefix}/{}", digest(parts));
        Self { base, assets }
    }

    /// Fills in a page's `{assets}`.
    pub(super) fn page(&self, template: &str) -> Asset {
        Asset::new("page.html", template.replace("{assets}", &self.base))
    }

    /// Serves the files.
    pub(super) fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        let base = self.base;
        self.assets.into_iter().fold(Router::new(), |router, (name, asset)| {
            router.route(&format!("{base}/{name}"), asset.immutable())
        })
    }
}
