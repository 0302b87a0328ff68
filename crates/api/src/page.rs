//! A page of a list as an answer, with its `Link` (RFC 8288).

use axum::{
    Json,
    http::header,
    response::{IntoResponse, Response},
};
use kernel::page::Page;
use serde::Serialize;
use url::form_urlencoded;

/// The page of the list at `path`; the next one is linked with the `limit` that was asked for.
pub fn respond<T: Serialize>(path: &str, limit: Option<u16>, page: Page<T>) -> Response {
    respond_to(path, [], limit, page)
}

/// [`respond`], for a list that was asked for by more than its place: the link asks for the same.
pub fn respond_to<T: Serialize>(
    path: &str,
    asked: impl IntoIterator<Item = (&'static str, String)>,
    limit: Option<u16>,
    page: Page<T>,
) -> Response {
    let link = page.next_cursor.as_ref().map(|cursor| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("cursor", cursor).extend_pairs(limit.map(|limit| ("limit", limit.to_string())));
        format!("<{path}?{}>; rel=\"next\"", query.extend_pairs(asked).finish())
    });
    let mut response = Json(page).into_response();
    if let Some(link) = link.and_then(|link| link.parse().ok()) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}
