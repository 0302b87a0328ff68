//! The `Idempotency-Key` header (draft-ietf-httpapi-idempotency-key-header).

use axum::http::request::Parts;
use kernel::{Code, Error, Result, caller::IdempotencyKey};

/// The longest key.
pub const MAX_KEY: usize = 255;

/// Returns whether a text can be a key: 1 to [`MAX_KEY`] visible ASCII characters but `"`.
pub fn is_idempotency_key(text: &str) -> bool {
    (1..=MAX_KEY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"')
}

/// Reads the key of a request, quoted or bare. Two requests are the same if their method, target
/// and body are.
///
/// # Errors
/// [`Code::MalformedRequest`].
pub(super) fn read(parts: &Parts, body: &[u8]) -> Result<Option<IdempotencyKey>> {
    let mut sent = parts.headers.get_all("idempotency-key").iter();
    let Some(value) = sent.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let key = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if !is_idempotency_key(key) || sent.next().is_some() {
        let detail = format!(
            "`Idempotency-Key` must be one key of 1 to {MAX_KEY} visible ASCII characters, such as a UUID"
        );
        return Err(Error::new(Code::MalformedRequest, detail));
    }
    let (method, target) = (parts.method.as_str(), parts.uri.to_string());
    Ok(Some(IdempotencyKey::new(key, &[method.as_bytes(), target.as_bytes(), body])))
}
