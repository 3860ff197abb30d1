//! The modules of a crate, by their declarations from `lib.rs` and `main.rs` on.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;

use crate::Error;
use crate::scan::{self, Scan};

/// A module: a file, or a part of one.
#[derive(Debug)]
pub(crate) struct Module {
    /// Names from the root of the crate.
    pub(crate) path: Vec<String>,
    pub(crate) file: PathBuf,
    pub(crate) scan: Scan,
}

/// All modules of the library and of the binary.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) modules: Vec<Module>,
    by_path: HashMap<Vec<String>, Vec<usize>>,
}

/// Where the files of child modules are.
struct Folders {
    /// For `mod name;`.
    children: PathBuf,
    /// For `#[path = ".."]`.
    attributes: PathBuf,
}

impl Tree {
    pub(crate) fn read(folder: &Path) -> Result<Self, Error> {
        let source = folder.join("src");
        let mut tree = Self::default();
        for root in ["lib.rs", "main.rs"] {
            let file = source.join(root);
            if file.is_file() {
                tree.add_file(file, Vec::new(), source.clone())?;
            }
        }
        if tree.modules.is_empty() {
            return Err(Error::NoSource(source));
        }
        Ok(tree)
    }

    /// The modules with this path: two if the library and the binary both have one.
    pub(crate) fn at(&self, path: &[String]) -> impl Iterator<Item = &Module> {
        let found = self.by_path.get(path).into_iter().flatten();
        found.map(|index| &self.modules[*index])
    }

    pub(crate) fn contains(&self, path: &[String]) -> bool {
        self.by_path.contains_key(path)
    }

    fn add_file(
        &mut self,
        file: PathBuf,
        path: Vec<String>,
        children: PathBuf,
    ) -> Result<(), Error> {
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(source) => return Err(Error::Read { file, source }),
        };
        let tokens: TokenStream = match text.trim_start_matches('\u{feff}').parse() {
            Ok(tokens) => tokens,
            Err(error) => {
                return Err(Error::Syntax {
                    message: lex_error(&error),
                    file,
                });
            }
        };
        let attributes = parent(&file);
        self.add(
            &file,
            path,
            tokens,
            &Folders {
                children,
                attributes,
            },
        )
    }

    fn add(
        &mut self,
        file: &Path,
        path: Vec<String>,
        tokens: TokenStream,
        folders: &Folders,
    ) -> Result<(), Error> {
        let mut scan = scan::scan(tokens);
        for declaration in &mut scan.modules {
            let child: Vec<String> = path.iter().chain([&declaration.name]).cloned().collect();
            let attribute = declaration
                .path
                .as_ref()
                .map(|path| folders.attributes.join(path));
            if let Some(body) = declaration.body.take() {
                let own = attribute.unwrap_or_else(|| folders.children.join(&declaration.name));
                let own = Folders {
                    children: own.clone(),
                    attributes: own,
                };
                self.add(file, child, body, &own)?;
                continue;
            }
            let single = folders.children.join(format!("{}.rs", declaration.name));
            let folder = folders.children.join(&declaration.name);
            if let Some(file) = attribute.filter(|file| file.is_file()) {
                let children = parent(&file);
                self.add_file(file, child, children)?;
            } else if single.is_file() {
                self.add_file(single, child, folder)?;
            } else if folder.join("mod.rs").is_file() {
                self.add_file(folder.join("mod.rs"), child, folder)?;
            } else if !declaration.in_macro {
                return Err(Error::MissingModule {
                    file: file.to_owned(),
                    line: declaration.line,
                    module: declaration.name.clone(),
                });
            }
        }
        self.by_path
            .entry(path.clone())
            .or_default()
            .push(self.modules.len());
        self.modules.push(Module {
            path,
            file: file.to_owned(),
            scan,
        });
        Ok(())
    }
}

fn parent(file: &Path) -> PathBuf {
    file.parent().map(Path::to_path_buf).unwrap_or_default()
}

fn lex_error(error: &proc_macro2::LexError) -> String {
    format!("line {}: {error}", error.span().start().line)
}
