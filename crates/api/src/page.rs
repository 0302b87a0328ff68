//! A page of a list as an answer, with its `Link` (RFC 8288).

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use domain::page::Page;
use serde::Serialize;

/// The page of the list at `path`; the next one is linked with the `limit` that was asked for.
pub fn respond<T: Serialize>(path: &str, limit: Option<u16>, page: Page<T>) -> Response {
    let link = page.next_cursor.as_ref().map(|cursor| {
        let limit = limit.map(|limit| format!("&limit={limit}")).unwrap_or_default();
        format!("<{path}?cursor={cursor}{limit}>; rel=\"next\"")
    });
    let mut response = Json(page).into_response();
    if let Some(link) = link.and_then(|link| link.parse().ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
