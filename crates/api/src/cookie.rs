//! The cookie that holds a browser's refresh token.
//!
//! Scripts cannot read it, other sites cannot send it (`SameSite=Strict`), and it goes only to the
//! routes that use it. A page of a sibling domain is same-site, though, so the `Origin` of a
//! request that brings it must be one of ours.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use domain::identity::sessions::{LIFETIME, RefreshToken};
use kernel::{Code, Error, Result};

const NAME: &str = "holdfast_refresh";
/// Both prefixes of the routes.
const PATHS: [&str; 2] = ["/v1/auth", "/api/v1/auth"];

/// Sets the cookie, for each prefix.
pub fn set(token: &RefreshToken) -> Vec<(HeaderName, HeaderValue)> {
    header(token.reveal(), LIFETIME.num_seconds())
}

/// Clears the cookie, for each prefix.
pub fn clear() -> Vec<(HeaderName, HeaderValue)> {
    header("", 0)
}

fn header(value: &str, max_age: i64) -> Vec<(HeaderName, HeaderValue)> {
    let attributes =
        |path| format!("{NAME}={value}; Path={path}; Max-Age={max_age}; HttpOnly; Secure; SameSite=Strict");
    PATHS
        .iter()
        .filter_map(|path| Some((header::SET_COOKIE, HeaderValue::from_str(&attributes(path)).ok()?)))
        .collect()
}

/// Returns the token that a request brings.
pub fn find(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == NAME && !value.is_empty()).then_some(value))
}

/// Requires that the page which sends the cookie is one of ours. Browsers name it in `Origin` on
/// every POST.
///
/// # Errors
/// [`Code::OriginRefused`].
pub fn check_origin(headers: &HeaderMap, allowed: &[String]) -> Result<()> {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    match origin {
        Some(origin) if allowed.iter().any(|allowed| allowed == origin) => Ok(()),
        _ => {
            let detail = "The cookie counts only from the pages of PUBLIC_URL, APP_URL and CORS_ORIGINS, \
                which `Origin` must name";
            Err(Error::new(Code::OriginRefused, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let headers =
            |text: &str| HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(text).unwrap())]);
        assert_eq!(find(&headers("a=b; holdfast_refresh=hfr_x; c=d")), Some("hfr_x"));
        assert_eq!(find(&headers("xholdfast_refresh=hfr_x; holdfast_refresh=")), None);
        assert_eq!(find(&HeaderMap::new()), None);
    }
}
