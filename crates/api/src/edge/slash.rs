//! Paths with and without a trailing slash are one path. tower-http's `NormalizePath` trims it. A
//! signature covers the path as the client sent it, so that one is kept.

use axum::http::{Request, Uri};

/// The URI as the client sent it, if its path was changed since.
#[derive(Debug, Clone)]
pub struct SentUri(pub Uri);

/// Keeps the URI of a request whose path `NormalizePath` is about to change.
pub fn keep_sent_uri<B>(mut request: Request<B>) -> Request<B> {
    let path = request.uri().path();
    if (path.len() > 1 && path.ends_with('/')) || path.starts_with("//") {
        let sent = SentUri(request.uri().clone());
        request.extensions_mut().insert(sent);
    }
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sent_uri_is_kept_where_it_changes() {
        let kept = |uri: &str| {
            let request = keep_sent_uri(Request::get(uri).body(()).unwrap());
            request.extensions().get::<SentUri>().map(|sent| sent.0.to_string())
        };
        assert_eq!(kept("/v1/agents/?limit=1").as_deref(), Some("/v1/agents/?limit=1"));
        assert_eq!(kept("//v1/agents").as_deref(), Some("//v1/agents"));
        assert_eq!((kept("/v1/agents"), kept("/")), (None, None));
    }
}
