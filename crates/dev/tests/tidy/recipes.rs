//! The recipes of `docs/adding-*.md`: each lists every file that a change of its kind touches. The
//! list is compared with the files that the latest such change really touched: its commit says
//! `Recipe: adding-…` in its last lines.

use std::{fs, process::Command};

use crate::{none, root};

/// A line of a recipe.
struct Listed {
    /// The path, in which `<…>` stands for a name.
    template: String,
    /// True if every such change touches it.
    always: bool,
}

#[test]
fn files_that_recipes_name_exist() {
    let mut missing = Vec::new();
    for name in recipes() {
        let listed = listed(&name);
        assert!(listed.len() > 5, "{name} lists no files");
        let fixed = listed.iter().filter(|line| !line.template.contains('<'));
        let gone = fixed.filter(|line| !root().join(&line.template).exists());
        missing.extend(gone.map(|line| format!("docs/{name}.md names {}", line.template)));
    }
    none(missing, "a file that a recipe names exists");
}

#[test]
fn recipes_list_what_the_latest_change_of_their_kind_touched() {
    let mut differences = Vec::new();
    for name in recipes() {
        let Some(touched) = touched(&name) else { continue };
        let listed = listed(&name);
        for path in &touched {
            if !listed.iter().any(|line| fits(&line.template, path)) {
                differences.push(format!("docs/{name}.md does not list {path}"));
            }
        }
        let forgotten = listed
            .iter()
            .filter(|line| line.always && !touched.iter().any(|path| fits(&line.template, path)));
        differences
            .extend(forgotten.map(|line| format!("the change left out {} of docs/{name}.md", line.template)));
    }
    none(differences, "a recipe lists what its latest change touched");
}

/// Returns the names of the recipes.
fn recipes() -> Vec<String> {
    let entries = fs::read_dir(root().join("docs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut recipes: Vec<_> = names.filter_map(|name| Some(name.strip_suffix(".md")?.to_owned())).collect();
    recipes.retain(|name| name.starts_with("adding-"));
    recipes.sort();
    assert!(recipes.len() >= 7, "the recipes were not found");
    recipes
}

/// Returns the lines of a recipe's lists of files.
fn listed(recipe: &str) -> Vec<Listed> {
    let page = fs::read_to_string(root().join(format!("docs/{recipe}.md"))).unwrap();
    let blocks = page.split("\n```").filter_map(|block| block.strip_prefix("text\n"));
    let line = |line: &str| {
        let (always, rest) = (line.starts_with("  "), line.get(2..)?);
        let template = rest.split_whitespace().next()?.to_owned();
        Some(Listed { template, always })
    };
    blocks.flat_map(str::lines).filter_map(line).collect()
}

/// Returns the files of the latest commit of a recipe; `None` where the history has none, as in a
/// shallow clone.
fn touched(recipe: &str) -> Option<Vec<String>> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root()).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    let commit = git(&["log", "-1", "--format=%H", &format!("--grep=^Recipe: {recipe}$")])?;
    if commit.is_empty() {
        return None;
    }
    let files = git(&["show", "--format=", "--name-only", &commit])?;
    Some(files.lines().map(str::to_owned).collect())
}

/// Returns whether a path matches a template, in which `<…>` stands for a name or a part of one.
fn fits(template: &str, path: &str) -> bool {
    let Some((before, after)) = template.split_once('<') else { return template == path };
    let (_, after) = after.split_once('>').unwrap();
    let Some(rest) = path.strip_prefix(before) else { return false };
    // A name is of one folder or several, since areas may have folders of their own.
    (1..=rest.len()).any(|end| rest.is_char_boundary(end) && fits(after, &rest[end..]))
}

#[test]
fn a_template_fits_its_files() {
    assert!(fits("crates/domain/src/<area>/<verb>.rs", "crates/domain/src/agents/update.rs"));
    assert!(fits("crates/domain/src/<area>/<verb>.rs", "crates/domain/src/identity/users/close.rs"));
    assert!(fits("CHANGELOG.md", "CHANGELOG.md"));
    assert!(!fits("crates/domain/src/<area>/<verb>.rs", "crates/api/src/agents/update.rs"));
}
