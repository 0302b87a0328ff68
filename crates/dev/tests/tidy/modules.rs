//! The modules of a crate as the compiler sees them: the file of each, and what a path leads to.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use syn::{Attribute, File, Item, UseTree, Visibility};

/// A path of modules from the root of a crate: `["intents", "store"]`.
pub type ModulePath = Vec<String>;

/// A chain of re-exports longer than this is a circle of its own.
const MAX_STEPS: usize = 32;

/// One module: its file and the names that it brings in.
#[derive(Debug, Default)]
pub struct Module {
    pub file: PathBuf,
    /// The names of what it defines, modules excepted.
    pub items: BTreeSet<String>,
    /// A name that a `use` line binds here, and the path that it names.
    pub bindings: BTreeMap<String, Vec<String>>,
    /// The modules whose names a `use …::*` brings in.
    pub globs: Vec<Vec<String>>,
}

/// The modules of one crate.
#[derive(Debug, Default)]
pub struct Modules(pub BTreeMap<ModulePath, Module>);

impl Modules {
    /// Adds the modules of `file`, which contains `path` and everything in braces within it.
    pub fn add(&mut self, path: &ModulePath, file: &PathBuf, text: &File) {
        self.add_items(path, file, &text.items);
    }

    fn add_items(&mut self, path: &ModulePath, file: &PathBuf, items: &[Item]) {
        let mut module = Module { file: file.clone(), ..Module::default() };
        for item in items.iter().filter(|item| !is_test(attributes(item))) {
            match item {
                Item::Use(line) => {
                    let names = flatten(&line.tree);
                    for (bound, target) in names {
                        if bound == "*" {
                            module.globs.push(target);
                        } else {
                            module.bindings.insert(bound, target);
                        }
                    }
                }
                Item::Mod(inner) => {
                    if let Some((_, items)) = &inner.content {
                        let mut inside = path.clone();
                        inside.push(inner.ident.to_string());
                        self.add_items(&inside, file, items);
                    }
                }
                other => module.items.extend(name(other)),
            }
        }
        self.0.insert(path.clone(), module);
    }

    /// Returns the file that defines what `path`, written in the module `from`, names, or `None`
    /// when another crate does.
    pub fn resolve(&self, from: &ModulePath, path: &[String]) -> Option<&PathBuf> {
        self.walk(from, path, 0).and_then(|module| self.0.get(&module)).map(|module| &module.file)
    }

    /// Returns the module that defines what `path` names, or the module itself when it names one.
    fn walk(&self, from: &ModulePath, path: &[String], steps: usize) -> Option<ModulePath> {
        if steps > MAX_STEPS {
            return None;
        }
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.descend(Vec::new(), rest, steps),
            "self" => self.descend(from.clone(), rest, steps),
            "super" => {
                let parent = from.split_last()?.1.to_vec();
                // `super::super::…` continues upward.
                if rest.first().is_some_and(|next| next == "super") {
                    return self.walk(&parent, rest, steps + 1);
                }
                self.descend(parent, rest, steps)
            }
            name if self.has(from, name) => self.descend(from.clone(), path, steps),
            _ => None,
        }
    }

    fn descend(&self, at: ModulePath, path: &[String], steps: usize) -> Option<ModulePath> {
        let Some((next, rest)) = path.split_first() else { return Some(at) };
        let mut child = at.clone();
        child.push(next.clone());
        if self.0.contains_key(&child) {
            return self.descend(child, rest, steps);
        }
        let module = self.0.get(&at)?;
        if module.items.contains(next) {
            return Some(at);
        }
        if let Some(target) = module.bindings.get(next) {
            let mut whole = target.clone();
            whole.extend_from_slice(rest);
            return self.walk(&at, &whole, steps + 1);
        }
        module.globs.iter().find_map(|glob| {
            let target = self.walk(&at, glob, steps + 1)?;
            self.has(&target, next).then(|| self.descend(target, path, steps + 1))?
        })
    }

    /// Returns whether `name` is known in `module`, by a definition, a `use` line or a module below
    /// it.
    fn has(&self, module: &ModulePath, name: &str) -> bool {
        let mut child = module.clone();
        child.push(name.to_owned());
        let known = |module: &Module| module.items.contains(name) || module.bindings.contains_key(name);
        self.0.contains_key(&child) || self.0.get(module).is_some_and(known)
    }
}

/// Returns each name that a `use` tree binds, with the path it stands for; `*` for a glob.
pub fn flatten(tree: &UseTree) -> Vec<(String, Vec<String>)> {
    fn go(tree: &UseTree, before: &[String], found: &mut Vec<(String, Vec<String>)>) {
        match tree {
            UseTree::Path(path) => {
                let mut before = before.to_vec();
                before.push(path.ident.to_string());
                go(&path.tree, &before, found);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| go(tree, before, found)),
            UseTree::Glob(_) => found.push(("*".to_owned(), before.to_vec())),
            UseTree::Name(name) if name.ident == "self" => {
                found.push((before.last().cloned().unwrap_or_default(), before.to_vec()));
            }
            UseTree::Name(name) => {
                let name = name.ident.to_string();
                found.push((name.clone(), [before, &[name]].concat()));
            }
            UseTree::Rename(rename) => {
                let target = rename.ident.to_string();
                let path = if target == "self" { before.to_vec() } else { [before, &[target]].concat() };
                found.push((rename.rename.to_string(), path));
            }
        }
    }
    let mut found = Vec::new();
    go(tree, &[], &mut found);
    found
}

/// Returns whether an item is compiled for tests alone.
pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let cfg = attribute.path().is_ident("cfg");
        cfg && attribute.parse_args::<syn::Path>().is_ok_and(|what| what.is_ident("test"))
    })
}

/// Returns whether a `use` line passes a name on rather than using it.
pub fn is_reexport(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}

pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
