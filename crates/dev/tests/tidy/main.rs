//! The rules of the house that no lint sees.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod circles;
mod modules;
mod recipes;
mod shape;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// Returns every `.rs` file of the workspace, with its text.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// Fails with all offenders at once.
fn none(offenders: Vec<String>, rule: &str) {
    assert!(offenders.is_empty(), "{rule}:\n  {}", offenders.join("\n  "));
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent =
        |(path, text): &(PathBuf, String)| (!text.starts_with("//! ")).then(|| path.display().to_string());
    none(
        sources().iter().filter_map(silent).collect(),
        "a file starts with a `//!` line that says what it is for",
    );
}

#[test]
fn sql_stands_in_stores() {
    let stray = |(path, text): &(PathBuf, String)| {
        let domain =
            ["kernel", "vault", "domain"].iter().any(|name| path.starts_with(format!("crates/{name}/src")));
        let name = path.with_extension("");
        let store = name.iter().any(|part| part == "store" || part.to_string_lossy().ends_with("_store"));
        (domain && !store && text.contains("sqlx::query")).then(|| path.display().to_string())
    };
    none(
        sources().iter().filter_map(stray).collect(),
        "in `kernel`, `vault` and `domain`, SQL stands in `store.rs`, `<what>_store.rs` and `store/` only",
    );
}

#[test]
fn the_crates_import_in_one_direction() {
    let manifest = |name: &str| fs::read_to_string(root().join(format!("crates/{name}/Cargo.toml"))).unwrap();
    let dependencies = |name: &str| {
        let manifest = manifest(name);
        let (_, after) = manifest.split_once("[dependencies]").unwrap();
        after.split("[dev-dependencies]").next().unwrap().to_owned()
    };
    let forbidden = [
        (
            "kernel",
            &["vault", "domain", "adapters", "api", "worker", "axum", "reqwest", "redis", "async-nats"][..],
        ),
        ("vault", &["domain", "adapters", "api", "worker", "axum", "reqwest", "redis", "async-nats"]),
        (
            "domain",
            &[
                "adapters",
                "api",
                "worker",
                "axum",
                "reqwest",
                "redis",
                "deadpool-redis",
                "async-nats",
                "qdrant-client",
            ],
        ),
        ("testkit", &["vault", "domain", "adapters", "api", "worker", "dev"]),
        ("adapters", &["api", "worker", "apalis"]),
        ("api", &["worker", "apalis"]),
        ("worker", &["api"]),
    ];
    let mut offenders = Vec::new();
    for (name, never) in forbidden {
        let dependencies = dependencies(name);
        let imported = never
            .iter()
            .filter(|other| dependencies.lines().any(|line| line.starts_with(&format!("{other}."))));
        offenders.extend(imported.map(|other| format!("{name} imports {other}")));
    }
    none(offenders, "imports go one way: see ARCHITECTURE.md");
}

/// A path in ARCHITECTURE.md or the docs that is written as code and names a file of ours must
/// exist.
#[test]
fn paths_in_the_documents_exist() {
    let mut documents = vec![root().join("ARCHITECTURE.md"), root().join("README.md")];
    let mut folders = vec![root().join("docs"), root().join("migrations")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                documents.push(path);
            }
        }
    }
    let mut named = 0;
    let mut offenders = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for code in text.split('`').skip(1).step_by(2).filter(|code| is_path(code)) {
            named += 1;
            if !root().join(code).exists() {
                offenders.push(format!("{} names {code}", document.display()));
            }
        }
    }
    assert!(named > 20, "no paths were found to check");
    none(offenders, "a path that a document names must exist");
}

/// A metric is written as a literal, so that one can search for it, and the page for operators
/// explains it.
#[test]
fn operations_explains_every_metric() {
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let missing = metrics().into_iter().filter(|name| !page.contains(&format!("`{name}`")));
    none(missing.collect(), "docs/operations.md explains each metric");
}

#[test]
fn alerts_are_of_metrics_there_are_and_say_what_to_do() {
    let page = fs::read_to_string(root().join("docs/operations.md")).unwrap();
    let rules = fs::read_to_string(root().join("deploy/prometheus/alerts.yaml")).unwrap();
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 5, "no alerts were found to check");
    let silent = alerts.iter().filter(|alert| !page.contains(&format!("| `{alert}` |")));
    none(silent.map(ToString::to_string).collect(), "docs/operations.md says what to do about each alert");

    let metrics = metrics();
    let words = rules.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let used = words.filter(|word| word.starts_with("holdfast_") || word.starts_with("http_request_"));
    let unknown =
        used.filter(|word| !metrics.contains(word.trim_end_matches("_bucket").trim_end_matches("_count")));
    none(unknown.map(str::to_owned).collect(), "an alert is of metrics that a program has");
}

/// Returns every metric that a program has.
fn metrics() -> BTreeSet<String> {
    let sources = sources();
    let tests = ["crates/dev", "crates/testkit"];
    let programs = sources.iter().filter(|(path, _)| !tests.iter().any(|folder| path.starts_with(folder)));
    let literals = programs.flat_map(|(_, text)| text.split('"')).filter(|literal| is_metric(literal));
    let metrics: BTreeSet<_> = literals.chain(["http_request_duration_seconds"]).map(str::to_owned).collect();
    assert!(metrics.len() > 10, "no metrics were found to check");
    metrics
}

/// Returns whether `literal` names a metric. Roles and channels begin with our name as well, but do
/// not end as metrics do.
fn is_metric(literal: &str) -> bool {
    let ends =
        ["_total", "_seconds", "_up", "_held", "_due", "_later", "_dead", "_damaged", "_unchecked", "_signs"];
    literal.starts_with("holdfast_") && ends.iter().any(|end| literal.ends_with(end))
}

fn is_path(code: &str) -> bool {
    let ours = ["crates/", "docs/", "migrations/", "deploy/", "scripts/", ".github/", ".ci/", ".cargo/"];
    ours.iter().any(|start| code.starts_with(start)) && !code.contains(['<', '*', ' ', '{'])
}
