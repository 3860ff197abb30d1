//! The modules of a crate: their files, their items, and the paths that they mention.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, Item, UseTree};

use toolkit::{Context, Result};

use super::imports::Sources;

/// The segments of a path.
pub(super) type Segments = Vec<String>;

/// The modules of a crate by their path from its root.
pub(super) type Modules = BTreeMap<Segments, Module>;

/// A module, in a file of its own or inside that of its parent.
#[derive(Default)]
pub(super) struct Module {
    pub(super) file: String,
    /// Names of the items that are defined here.
    pub(super) items: BTreeSet<String>,
    /// Imported names and their paths as written.
    pub(super) uses: BTreeMap<String, Segments>,
    /// Paths of the modules that are imported as a whole.
    pub(super) globs: Vec<Segments>,
    /// Paths in code, as written.
    pub(super) mentions: BTreeSet<Segments>,
}

/// Adds the module in this file and those below it.
pub(super) fn read(sources: &Sources, file: &str, path: Segments, modules: &mut Modules) -> Result {
    let syntax = syn::parse_file(&sources[file]).context(|| file.to_owned())?;
    // Children of `a.rs` are in `a/`, those of `mod.rs` and of a root in the same folder.
    let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
    let folder = match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
    };
    add(sources, file, &folder, path, &syntax.items, modules)
}

fn add(
    sources: &Sources,
    file: &str,
    folder: &str,
    path: Segments,
    items: &[Item],
    modules: &mut Modules,
) -> Result {
    let mut module = Module {
        file: file.to_owned(),
        ..Module::default()
    };
    for item in items {
        module.visit_item(item);
        let Item::Mod(child) = item else { continue };
        if is_test(&child.attrs) {
            continue;
        }
        let name = child.ident.to_string();
        let inner: Segments = path.iter().cloned().chain([name.clone()]).collect();
        let below = format!("{folder}/{name}");
        match &child.content {
            Some((_, items)) => add(sources, file, &below, inner, items, modules)?,
            None => {
                let places = [format!("{below}.rs"), format!("{below}/mod.rs")];
                if let Some(file) = places.iter().find(|file| sources.contains_key(*file)) {
                    read(sources, file, inner, modules)?;
                }
            }
        }
    }
    modules.insert(path, module);
    Ok(())
}

impl Module {
    fn import(&mut self, tree: &UseTree, mut before: Segments) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(&path.tree, before);
            }
            UseTree::Name(name) if name.ident == "self" => {
                let name = before.last().cloned().unwrap_or_default();
                self.uses.insert(name, before);
            }
            UseTree::Name(name) => {
                before.push(name.ident.to_string());
                self.uses.insert(name.ident.to_string(), before);
            }
            UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    before.push(rename.ident.to_string());
                }
                // Every `as _` counts, though it gives no name.
                let name = match rename.rename.to_string() {
                    name if name == "_" => before.join("::"),
                    name => name,
                };
                self.uses.insert(name, before);
            }
            UseTree::Glob(_) => self.globs.push(before),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, before.clone());
                }
            }
        }
    }

    /// Notes the paths in the tokens of a macro.
    fn scan(&mut self, tokens: TokenStream) {
        let mut path = Segments::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.mention(std::mem::take(&mut path));
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                other => {
                    self.mention(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.scan(group.stream());
                    }
                }
            }
        }
        self.mention(path);
    }

    fn mention(&mut self, path: Segments) {
        if path.len() > 1 {
            self.mentions.insert(path);
        }
    }

    fn define(&mut self, ident: &syn::Ident) {
        self.items.insert(ident.to_string());
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast Item) {
        let (attributes, ident) = match item {
            Item::Const(item) => (&item.attrs, Some(&item.ident)),
            Item::Enum(item) => (&item.attrs, Some(&item.ident)),
            Item::Fn(item) => (&item.attrs, Some(&item.sig.ident)),
            Item::Impl(item) => (&item.attrs, None),
            Item::Macro(item) => (&item.attrs, item.ident.as_ref()),
            // Its content is that of another module.
            Item::Mod(_) => return,
            Item::Static(item) => (&item.attrs, Some(&item.ident)),
            Item::Struct(item) => (&item.attrs, Some(&item.ident)),
            Item::Trait(item) => (&item.attrs, Some(&item.ident)),
            Item::Type(item) => (&item.attrs, Some(&item.ident)),
            Item::Union(item) => (&item.attrs, Some(&item.ident)),
            Item::Use(item) => (&item.attrs, None),
            _ => return,
        };
        if is_test(attributes) {
            return;
        }
        if let Some(ident) = ident {
            self.define(ident);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.import(&item.tree, Segments::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments = path.segments.iter();
        self.mention(segments.map(|segment| segment.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        self.visit_path(&called.path);
        self.scan(called.tokens.clone());
    }
}

/// True for `#[cfg(test)]` and `#[cfg(all(test, ..))]`.
fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let Ok(list) = attribute.meta.require_list() else {
            return false;
        };
        let condition = list.tokens.to_string().replace(' ', "");
        attribute.path().is_ident("cfg")
            && (condition == "test" || condition.starts_with("all(test,"))
    })
}
