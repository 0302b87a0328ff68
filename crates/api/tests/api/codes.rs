//! The codes that a whole run of the tests met, compared with those in the document.

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
};

use api::{OperationCodes, operation_codes};

/// An operation by its method and template, and a code.
type Met = BTreeSet<(String, String, String)>;

/// Reads `$HOLDFAST_TEST_CODES`, in which every test of a run noted the codes that it met.
#[test]
#[ignore = "reads what a whole run met; `.ci/run` calls it when all tests are over"]
fn every_code_that_was_met_is_listed_and_every_own_code_was_met() {
    let file = env::var(testkit::met_codes::VARIABLE).expect("HOLDFAST_TEST_CODES names the file");
    let lines = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}"));
    let operations = operation_codes();
    let met: Met = lines.lines().filter_map(|line| place(&operations, line)).collect();
    assert!(met.len() > 100, "only {} codes were met: is {file} of a whole run?", met.len());

    let mut faults = Vec::new();
    for (method, path, code) in &met {
        let operation =
            operations.iter().find(|one| one.method == method.as_str() && one.path == *path).unwrap();
        let listed = operation.own.iter().chain(&operation.inherited).any(|known| known.as_str() == code);
        if !listed {
            faults.push(format!("{method} {path} answered {code}, which the document does not list"));
        }
    }
    let mut inherited = BTreeMap::new();
    for operation in &operations {
        let (method, path) = (operation.method.to_string(), operation.path.clone());
        let is_met = |code: &str| met.contains(&(method.clone(), path.clone(), code.to_owned()));
        let unmet = operation.own.iter().filter(|code| !is_met(code.as_str()));
        faults
            .extend(unmet.map(|code| format!("no test met {code} of {method} {path}", code = code.as_str())));
        for code in &operation.inherited {
            *inherited.entry(code.as_str()).or_insert(false) |= is_met(code.as_str());
        }
    }
    let never = inherited.into_iter().filter(|(_, met)| !met);
    faults.extend(never.map(|(code, _)| format!("no test met {code}, which several operations list")));
    assert!(faults.is_empty(), "{} faults:\n  {}", faults.len(), faults.join("\n  "));
}

/// Returns the operation and the code of a line, or `None` when the path leads to no operation.
fn place(operations: &[OperationCodes], line: &str) -> Option<(String, String, String)> {
    let mut words = line.split(' ');
    let (method, path, code) = (words.next()?, words.next()?, words.next()?);
    // A HEAD is answered as the GET is.
    let method = if method == "HEAD" { "GET" } else { method };
    let path = path.split('?').next()?.trim_end_matches('/');
    let path = path.strip_prefix("/api").unwrap_or(path);
    // A path is of the template with the fewest placeholders that fits, whatever the method.
    let fits = operations.iter().filter(|one| is_of(&one.path, path));
    let template = &fits.min_by_key(|one| one.path.matches('{').count())?.path;
    let operation = operations.iter().find(|one| one.path == *template && one.method == method)?;
    Some((method.to_owned(), operation.path.clone(), code.to_owned()))
}

fn is_of(template: &str, path: &str) -> bool {
    let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    let same =
        |(wanted, found): (&&str, &&str)| wanted.starts_with('{') && !found.is_empty() || wanted == found;
    template.len() == path.len() && template.iter().zip(&path).all(same)
}

#[test]
fn a_line_leads_to_its_operation() {
    let operations = operation_codes();
    let place = |line: &str| place(&operations, line).map(|(method, path, _)| format!("{method} {path}"));
    let id = "did:key:z6Mk";
    assert_eq!(place(&format!("HEAD /api/v1/agents/{id}/?x=1 not_found")).unwrap(), "GET /v1/agents/{agent}");
    assert_eq!(place("GET /v1/vault/seals/7 not_found").unwrap(), "GET /v1/vault/seals/{index}");
    assert_eq!(place("DELETE /v1/me/passkeys/finish method_not_allowed"), None);
    assert_eq!(place("GET /nowhere not_found"), None);
}
