//! The OpenAPI document, the page that shows it, and the catalog of problems.
//!
//! The page is our own (docs/adr/0010-the-reference-page.md). It loads nothing from other origins,
//! and its policy allows no inline script or style.

use std::{collections::BTreeMap, fmt::Write as _};

use axum::Router;
use kernel::Code;
use utoipa::openapi::OpenApi;

use self::assets::{Asset, Bundle};
use crate::{problem, state::AppState};

mod assets;
mod document;

pub use document::about;

/// Includes files of the page by name.
macro_rules! files {
    ($($name:literal),+ $(,)?) => {
        [$(($name, include_str!(concat!("page/", $name)))),+]
    };
}

/// The modules of the page, which the browser loads at once instead of one after the other.
const MODULES: [(&str, &str); 17] = files![
    "code.js",
    "curl.js",
    "dom.js",
    "examples.js",
    "fields.js",
    "follow.js",
    "introduction.js",
    "main.js",
    "navigation.js",
    "operation.js",
    "reference.js",
    "responses.js",
    "sample-values.js",
    "sample.js",
    "schema.js",
    "search.js",
    "text.js",
];

/// The other files that the pages load.
const FILES: [(&str, &str); 5] = files!["base.css", "icon.svg", "layout.css", "operation.css", "theme.js"];

/// Returns the routes of `/openapi.json`, `/docs`, `/problems` and the files that the pages load.
pub fn router(document: &OpenApi) -> Router<AppState> {
    routes(document.to_json().unwrap_or_default())
}

fn routes<S: Clone + Send + Sync + 'static>(document: String) -> Router<S> {
    let bundle = bundle();
    let reference = bundle.page(&include_str!("page/index.html").replace("{modules}", &preloads()));
    let problems = bundle.page(&include_str!("page/problems.html").replace("{rows}", &problem_rows()));
    Router::new()
        .route("/openapi.json", Asset::new("openapi.json", document).revalidated())
        .route("/docs", reference.revalidated())
        .route("/problems", problems.revalidated())
        .merge(bundle.router())
}

fn bundle() -> Bundle {
    let files = MODULES.into_iter().chain(FILES).map(|(name, text)| (name, Asset::new(name, text)));
    let titles = ("problems.json", Asset::new("problems.json", problem_titles()));
    Bundle::new("/docs/assets", files.chain([titles]).collect())
}

/// Writes a link for each module, so that none waits for the one that imports it.
fn preloads() -> String {
    let links = MODULES.map(|(name, _)| format!("<link rel=\"modulepreload\" href=\"{{assets}}/{name}\">"));
    links.join("\n")
}

/// Writes the title of each code, for the page.
fn problem_titles() -> String {
    let titles: BTreeMap<&str, &str> = Code::ALL.iter().map(|code| (code.as_str(), code.title())).collect();
    serde_json::to_string(&titles).unwrap_or_default()
}

/// Writes the rows of the page that every problem's `type` links to.
fn problem_rows() -> String {
    let mut rows = String::new();
    for code in Code::ALL {
        let (name, status, title) = (code.as_str(), problem::status(*code).as_u16(), code.title());
        let cells = format!("<td><code>{name}</code></td><td>{status}</td><td>{title}</td>");
        let _ = writeln!(rows, "<tr id=\"{name}\">{cells}</tr>");
    }
    rows
}

#[cfg(test)]
mod tests;
