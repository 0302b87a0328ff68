//! Values of the query.

use axum::{
    extract::FromRequestParts,
    http::{Uri, request::Parts},
};
use kernel::{Code, Error, Result, text::excerpt};
use serde::de::DeserializeOwned;
use utoipa::IntoParams;

use super::serde_words;
use crate::{
    problem::Problem,
    route::{Describe, OperationDoc},
};

/// The codes of a query.
const QUERY_ERRORS: &[Code] = &[Code::WrongType, Code::UnknownField];

/// The values of the query.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self(parse(&parts.uri)?))
    }
}

impl<T: IntoParams> Describe for Query<T> {
    fn describe(doc: &mut OperationDoc) {
        doc.query_parameters::<T>();
        doc.codes(QUERY_ERRORS);
    }
}

/// Reads `T` from the query of a URI. An error names a wrong value by its parameter.
///
/// # Errors
/// [`Code::WrongType`], [`Code::UnknownField`].
pub(super) fn parse<T: DeserializeOwned>(uri: &Uri) -> Result<T> {
    match axum::extract::Query::<T>::try_from_uri(uri) {
        Ok(axum::extract::Query(value)) => Ok(value),
        Err(rejection) => {
            let text = rejection.body_text();
            let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(&text);
            let (place, detail) = text.split_once(": ").unwrap_or(("query", text));
            let code = if detail.contains("unknown field") { Code::UnknownField } else { Code::WrongType };
            Err(Error::field(code, excerpt(place, 64), serde_words::plain(&excerpt(detail, 300))))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[test]
    fn a_query_names_the_parameter() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Wanted {
            #[expect(dead_code, reason = "only read from the query")]
            limit: Option<u16>,
        }
        for (query, code, place) in [
            ("limit=many", Code::WrongType, "limit"),
            ("limit=70000", Code::WrongType, "limit"),
            ("sort=up", Code::UnknownField, "sort"),
        ] {
            let error = parse::<Wanted>(&format!("/?{query}").parse().unwrap()).unwrap_err();
            assert_eq!((error.code(), error.field_errors()[0].pointer.as_str()), (code, place), "{error}");
        }
    }
}
