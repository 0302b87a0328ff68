//! The query of a list: a filter, and a page of what it selects.

use axum::{
    extract::{FromRequestParts, OriginalUri},
    http::{Uri, request::Parts},
};
use kernel::{
    Code, Error, Result,
    page::{Page, PageQuery, PageRequest},
};
use serde::{Deserialize, de::DeserializeOwned};
use url::form_urlencoded;
use utoipa::IntoParams;

use super::query;
use crate::{
    problem::Problem,
    reply::Listed,
    route::{Describe, OperationDoc},
};

/// The parameters of the page; all others are the filter's.
const PAGE_PARAMETERS: [&str; 2] = ["limit", "cursor"];

/// No filter: the list has everything.
#[derive(Debug, Clone, Copy, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub struct NoFilter {}

/// The filter of a list, and the page that is asked for.
#[derive(Debug)]
pub struct List<F = NoFilter> {
    /// The filter.
    pub filter: F,
    /// The page.
    pub page: PageRequest,
    /// The requested path, and every parameter but the cursor, which the link to the next page
    /// repeats.
    next: NextLink,
}

#[derive(Debug)]
struct NextLink {
    path: String,
    parameters: Vec<(String, String)>,
}

impl<F: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for List<F> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let OriginalUri(uri) =
            OriginalUri::from_request_parts(parts, state).await.unwrap_or_else(|never| match never {});
        Ok(parse(&uri)?)
    }
}

impl<F: IntoParams> Describe for List<F> {
    fn describe(doc: &mut OperationDoc) {
        doc.query_parameters::<F>();
        query::Query::<PageQuery>::describe(doc);
        doc.codes(&[Code::OutOfRange, Code::InvalidCursor]);
    }
}

impl<F> List<F> {
    /// Returns the page as the reply, with the link to the next one.
    pub fn reply<T>(&self, page: Page<T>) -> Listed<T> {
        let link = page.next_cursor.as_ref().map(|cursor| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            let query = query.append_pair("cursor", cursor).extend_pairs(&self.next.parameters).finish();
            format!("<{}?{query}>; rel=\"next\"", self.next.path)
        });
        Listed::new(page, link)
    }
}

fn parse<F: DeserializeOwned>(uri: &Uri) -> Result<List<F>> {
    let pairs: Vec<(String, String)> =
        form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let (page, filter): (Vec<_>, Vec<_>) =
        pairs.iter().cloned().partition(|(name, _)| PAGE_PARAMETERS.contains(&name.as_str()));
    let filter = query::parse(&with_query(&filter)?)?;
    let page: PageQuery = query::parse(&with_query(&page)?)?;
    let parameters = pairs.into_iter().filter(|(name, _)| name != "cursor").collect();
    let next = NextLink { path: uri.path().to_owned(), parameters };
    Ok(List { filter, page: page.try_into()?, next })
}

fn with_query(pairs: &[(String, String)]) -> Result<Uri> {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("/?{query}").parse().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        kind: Option<String>,
    }

    #[test]
    fn a_list_is_asked_for_by_filter_and_page_together() {
        let list: List<Wanted> = parse(&"/v1/x?kind=a%20b&limit=7".parse().unwrap()).unwrap();
        assert_eq!((list.filter.kind.as_deref(), list.page.limit), (Some("a b"), 7));
        assert_eq!(
            list.next.parameters,
            [("kind".to_owned(), "a b".to_owned()), ("limit".to_owned(), "7".to_owned())]
        );
        for (query, code) in [
            ("limit=many", Code::WrongType),
            ("limit=0", Code::OutOfRange),
            ("sort=up", Code::UnknownField),
            ("cursor=x", Code::InvalidCursor),
        ] {
            let error = parse::<Wanted>(&format!("/v1/x?{query}").parse().unwrap()).unwrap_err();
            assert_eq!(error.code(), code, "{query}");
        }
    }
}
