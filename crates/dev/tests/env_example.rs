//! `.env.example` names every variable that a program reads, with its default, and no other;
//! `docs/deployment.md` explains each.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fs, path::Path};

use clap::{Command, CommandFactory};

/// Returns the variables of a program and their defaults, empty where there is none.
fn read_by(program: &Command) -> BTreeMap<String, String> {
    let default =
        |arg: &clap::Arg| arg.get_default_values().iter().map(|value| value.to_str().unwrap()).collect();
    program
        .get_arguments()
        .filter_map(|arg| Some((arg.get_env()?.to_str()?.to_owned(), default(arg))))
        .collect()
}

fn file(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    fs::read_to_string(root.join(path)).unwrap()
}

fn example() -> BTreeMap<String, String> {
    let text = file(".env.example");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| line.split_once('=').unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn the_example_is_what_the_programs_read() {
    let (api, worker) = (read_by(&api::Config::command()), read_by(&worker::Config::command()));
    let mut expected: BTreeMap<_, _> = worker.into_iter().chain(api).collect();
    // The programs have ports of their own, and the address of Postgres has no default.
    expected.insert("PORT".to_owned(), String::new());
    let mut example = example();
    let postgres = example.insert("DATABASE_URL".to_owned(), String::new()).unwrap();
    assert!(postgres.starts_with("postgres://"));
    assert_eq!(example, expected);
}

#[test]
fn deployment_explains_every_variable() {
    let page = file("docs/deployment.md");
    let missing: Vec<_> =
        example().into_keys().filter(|name| !page.contains(&format!("| `{name}` |"))).collect();
    assert!(missing.is_empty(), "docs/deployment.md has no row for {missing:?}");
}

#[test]
fn the_example_starts_once_it_has_keys() {
    let secret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let keys = [
        ("SECRETS_KEY", "hfsk"),
        ("WEBHOOK_SIGNING_KEY", "whsk"),
        ("JWT_SIGNING_KEY", "jwtk"),
        ("VAULT_SIGNING_KEY", "vsk"),
        ("VAULT_KEK", "vkek"),
    ];
    let keys = keys.map(|(name, prefix)| (name.to_owned(), format!("{prefix}_{secret}")));
    let variables = || example().into_iter().chain(keys.clone());
    api::Config::from_pairs(variables()).unwrap();
    worker::Config::from_pairs(variables()).unwrap();
}
