//! No circle between the files, the areas or the crates: each can be read, tested and moved without
//! those that stand on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use syn::{
    Item, ItemMod, ItemUse, Visibility,
    visit::{self, Visit},
};

use crate::{
    modules::{ModulePath, Modules, attributes, flatten, is_reexport, is_test},
    none, root, sources,
};

type Graph = BTreeMap<String, BTreeSet<String>>;

const CRATES: [&str; 8] = ["kernel", "vault", "domain", "adapters", "api", "worker", "testkit", "dev"];

#[test]
fn no_circle_of_files() {
    let found = CRATES.iter().flat_map(|name| circles(&file_graph(name))).collect();
    none(found, "files import each other in one direction");
}

#[test]
fn no_circle_of_areas() {
    let mut found = Vec::new();
    for name in CRATES {
        let mut areas = Graph::new();
        for (from, targets) in file_graph(name) {
            for target in targets {
                if let (Some(from), Some(to)) = (area(&from), area(&target))
                    && from != to
                {
                    areas.entry(from).or_default().insert(to);
                }
            }
        }
        found.extend(circles(&areas));
    }
    none(found, "areas import each other in one direction");
}

#[test]
fn no_circle_of_crates() {
    let mut crates = Graph::new();
    for (path, text) in sources() {
        let Some(from) = CRATES.iter().find(|name| path.starts_with(format!("crates/{name}/src"))) else {
            continue;
        };
        let named = CRATES.iter().filter(|name| *name != from && text.contains(&format!("{name}::")));
        let manifest = fs::read_to_string(root().join(format!("crates/{from}/Cargo.toml"))).unwrap();
        let imported = named.filter(|name| manifest.contains(&format!("\n{name}.workspace")));
        crates.entry((*from).to_owned()).or_default().extend(imported.map(ToString::to_string));
    }
    assert!(crates["domain"].contains("kernel"), "no imports between crates were found");
    none(circles(&crates), "crates import each other in one direction");
}

/// Returns the folder or file right below `src` that `file` belongs to, or `None` for `main.rs`,
/// `lib.rs` and the like.
fn area(file: &str) -> Option<String> {
    let (krate, below) = file.split_once("/src/")?;
    let (first, _) = below.split_once('/')?;
    Some(format!("{krate}/src/{first}"))
}

/// Returns the files of a crate's `src`, each with the files whose items it names.
fn file_graph(name: &str) -> Graph {
    let source = PathBuf::from(format!("crates/{name}/src"));
    let parsed: Vec<_> = sources()
        .into_iter()
        .filter(|(path, _)| path.starts_with(&source))
        .map(|(path, text)| (module_path(&source, &path), path.clone(), syn::parse_file(&text).unwrap()))
        .collect();
    let mut modules = Modules::default();
    parsed.iter().for_each(|(module, path, file)| modules.add(module, path, file));
    let mut graph = Graph::new();
    for (module, path, file) in &parsed {
        let mut reader = Reader { modules: &modules, module: module.clone(), found: BTreeSet::new() };
        reader.visit_file(file);
        reader.found.remove(path);
        let targets = reader.found.iter().map(|path| path.display().to_string()).collect();
        graph.insert(path.display().to_string(), targets);
    }
    graph
}

fn module_path(source: &Path, file: &Path) -> ModulePath {
    let below = file.strip_prefix(source).unwrap().with_extension("");
    let mut parts: Vec<_> = below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
        parts.pop();
    }
    parts
}

/// Collects the files that define what a file names.
struct Reader<'a> {
    modules: &'a Modules,
    module: ModulePath,
    found: BTreeSet<PathBuf>,
}

impl Reader<'_> {
    fn name(&mut self, path: &[String]) {
        self.found.extend(self.modules.resolve(&self.module, path).cloned());
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, inner: &'ast ItemMod) {
        self.module.push(inner.ident.to_string());
        visit::visit_item_mod(self, inner);
        self.module.pop();
    }

    /// A re-export names nothing by itself: a file that names it depends on the item behind it.
    fn visit_item_use(&mut self, line: &'ast ItemUse) {
        if !is_reexport(&line.vis) {
            flatten(&line.tree).iter().for_each(|(_, path)| self.name(path));
        }
    }

    /// `pub(in crate::area)` says where an item is visible; it uses nothing.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<_> = path.segments.iter().map(|part| part.ident.to_string()).collect();
        if parts.len() > 1 {
            self.name(&parts);
        }
        visit::visit_path(self, path);
    }
}

/// Returns each strongly connected part of more than one node, as a line. It searches from every
/// node, which is plain, and fast enough for some hundred files.
fn circles(graph: &Graph) -> Vec<String> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|node| (node.as_str(), reachable(graph, node))).collect();
    let mut told = BTreeSet::new();
    let mut found = Vec::new();
    for node in graph.keys() {
        let together: BTreeSet<_> = reach[node.as_str()]
            .iter()
            .copied()
            .filter(|other| reach.get(other).is_some_and(|back| back.contains(node.as_str())))
            .collect();
        if !together.is_empty() && told.insert(together.clone()) {
            let edges: Vec<_> = together
                .iter()
                .flat_map(|from| graph[*from].iter().map(move |to| (*from, to.as_str())))
                .filter(|(_, to)| together.contains(to))
                .map(|(from, to)| format!("{from} -> {to}"))
                .collect();
            found.push(format!("a circle of {}:\n    {}", together.len(), edges.join("\n    ")));
        }
    }
    found
}

/// Returns what can be reached from `start` by one step or more.
fn reachable<'a>(graph: &'a Graph, start: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut waiting: Vec<&str> = graph[start].iter().map(String::as_str).collect();
    while let Some(node) = waiting.pop() {
        if found.insert(node) {
            waiting.extend(graph.get(node).into_iter().flatten().map(String::as_str));
        }
    }
    found
}

#[test]
fn a_circle_is_found() {
    let edge = |from: &str, to: &[&str]| (from.to_owned(), to.iter().map(ToString::to_string).collect());
    let graph = Graph::from([edge("a", &["b"]), edge("b", &["c"]), edge("c", &["a", "d"]), edge("d", &[])]);
    assert_eq!(circles(&graph), ["a circle of 3:\n    a -> b\n    b -> c\n    c -> a"]);
}
