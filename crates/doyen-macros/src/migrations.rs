//! `migrations!("migrations")`: embeds the SQL files of a folder.
//!
//! The files are `<folder>/{sqlite,postgres}/<version>_<name>.{up,down}.sql`. All errors are
//! reported together, with the names of the files. If the folder of a backend is missing, the
//! application does not support that database.

use std::collections::BTreeMap;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::quote;
use syn::LitStr;

const BACKENDS: [&str; 2] = ["sqlite", "postgres"];

pub(crate) fn expand(folder: LitStr) -> syn::Result<TokenStream> {
    let root = std::env::var("CARGO_MANIFEST_DIR")
        .map_err(|_| syn::Error::new(folder.span(), "CARGO_MANIFEST_DIR is not set"))?;
    let base = Path::new(&root).join(folder.value());
    if !base.is_dir() {
        return Err(syn::Error::new(
            folder.span(),
            format!(
                "the folder `{}` does not exist next to `Cargo.toml`: create it, with the folders `sqlite/` and `postgres/`",
                folder.value()
            ),
        ));
    }
    let sets = read(&base).map_err(|problems| {
        let mut errors = problems
            .into_iter()
            .map(|problem| syn::Error::new(folder.span(), problem));
        let first = errors
            .next()
            .unwrap_or_else(|| syn::Error::new(folder.span(), "the folder cannot be read"));
        errors.fold(first, |mut all, error| {
            all.combine(error);
            all
        })
    })?;
    Ok(emit(&base, &sets))
}

/// A migration: its version, its name, and which of its two files exist.
#[derive(Debug, PartialEq, Eq, Default)]
struct Found {
    name: String,
    up: Option<String>,
    down: Option<String>,
}

type Set = BTreeMap<i64, Found>;

/// Returns the migrations of each backend, or every error.
fn read(base: &Path) -> Result<Vec<Set>, Vec<String>> {
    let mut problems = Vec::new();
    if !base.is_dir() {
        return Err(vec![format!(
            "the folder `{}` does not exist: create it, with the folders `sqlite/` and `postgres/`",
            base.display()
        )]);
    }
    let sets: Vec<Set> = BACKENDS
        .iter()
        .map(|backend| read_set(&base.join(backend), backend, &mut problems))
        .collect();
    if let [sqlite, postgres] = sets.as_slice()
        && base.join(BACKENDS[0]).is_dir()
        && base.join(BACKENDS[1]).is_dir()
    {
        compare(sqlite, (BACKENDS[0], BACKENDS[1]), postgres, &mut problems);
        compare(postgres, (BACKENDS[1], BACKENDS[0]), sqlite, &mut problems);
    }
    if problems.is_empty() {
        Ok(sets)
    } else {
        Err(problems)
    }
}

fn read_set(folder: &Path, backend: &str, problems: &mut Vec<String>) -> Set {
    let mut set = Set::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return set;
    };
    let mut files: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    files.retain(|file| file.ends_with(".sql"));
    files.sort();
    for file in files {
        let Some((version, name, up)) = parse(&file) else {
            problems.push(format!("`{backend}/{file}` does not have a name of the form `<version>_<name>.up.sql` or `<version>_<name>.down.sql`"));
            continue;
        };
        let found = set.entry(version).or_insert_with(|| Found {
            name: name.clone(),
            ..Found::default()
        });
        let place = if up { &mut found.up } else { &mut found.down };
        if found.name != name || place.is_some() {
            problems.push(format!(
                "`{backend}/{file}` has the same version as `{version}_{}`: choose another version",
                found.name
            ));
        } else {
            *place = Some(file);
        }
    }
    for (version, found) in &set {
        for (way, other, file) in [("up", "down", &found.up), ("down", "up", &found.down)] {
            if file.is_none() {
                let name = &found.name;
                problems.push(format!("`{backend}/{version}_{name}.{other}.sql` has no `{backend}/{version}_{name}.{way}.sql`: add it"));
            }
        }
    }
    set
}

/// Splits `20261122093000_tickets.up.sql` into the version, the name, and true for `up`.
fn parse(file: &str) -> Option<(i64, String, bool)> {
    let (rest, up) = match (file.strip_suffix(".up.sql"), file.strip_suffix(".down.sql")) {
        (Some(rest), _) => (rest, true),
        (_, Some(rest)) => (rest, false),
        _ => return None,
    };
    let (version, name) = rest.split_once('_')?;
    let version = version.parse::<i64>().ok().filter(|version| *version > 0)?;
    (!name.is_empty()).then(|| (version, name.to_owned(), up))
}

/// Requires the same migrations for both databases. A migration that one database does not need is
/// an empty file, which shows that it was not forgotten.
fn compare(mine: &Set, (here, there): (&str, &str), other: &Set, problems: &mut Vec<String>) {
    for (version, found) in mine {
        let name = &found.name;
        match other.get(version) {
            None => problems.push(format!("`{here}/{version}_{name}.up.sql` has no `{there}/{version}_{name}.up.sql`: add it for both databases")),
            Some(twin) if twin.name != *name && here == BACKENDS[0] => {
                problems.push(format!("`{here}/{version}_{name}` is called `{there}/{version}_{}` for the other database: use one name", twin.name));
            }
            Some(_) => {}
        }
    }
}

fn emit(base: &Path, sets: &[Set]) -> TokenStream {
    let lists = BACKENDS.iter().zip(sets).map(|(backend, set)| {
        let items = set.iter().map(|(version, found)| {
            let name = &found.name;
            let text = |file: &Option<String>| {
                base.join(backend)
                    .join(file.as_deref().unwrap_or_default())
                    .to_string_lossy()
                    .into_owned()
            };
            let (up, down) = (text(&found.up), text(&found.down));
            quote! {
                ::doyen::__private::data::Migration {
                    version: #version,
                    name: #name,
                    up: ::core::include_str!(#up),
                    down: ::core::include_str!(#down),
                }
            }
        });
        quote!(&[#(#items),*])
    });
    let lists: Vec<TokenStream> = lists.collect();
    let (sqlite, postgres) = (&lists[0], &lists[1]);
    let folder = base.to_string_lossy();
    quote! {
        ::doyen::__private::data::Migrations {
            sqlite: #sqlite,
            postgres: #postgres,
            folder: ::core::option::Option::Some(#folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with these files, deleted on drop.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn with(files: &[&str]) -> Self {
            static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
            let n = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let base =
                std::env::temp_dir().join(format!("doyen-migrations-{}-{n}", std::process::id()));
            for file in files {
                let path = base.join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "SELECT 1;").unwrap();
            }
            Self(base)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn problems(files: &[&str]) -> String {
        read(&Folder::with(files).0)
            .expect_err("should be refused")
            .join("\n")
    }

    #[test]
    fn both_folders_in_order() {
        let folder = Folder::with(&[
            "sqlite/10_b.up.sql",
            "sqlite/10_b.down.sql",
            "sqlite/9_a.up.sql",
            "sqlite/9_a.down.sql",
            "sqlite/README.md",
            "postgres/10_b.up.sql",
            "postgres/10_b.down.sql",
            "postgres/9_a.up.sql",
            "postgres/9_a.down.sql",
        ]);
        let sets = read(&folder.0).unwrap();
        assert_eq!(
            sets[0]
                .iter()
                .map(|(version, found)| (*version, found.name.as_str()))
                .collect::<Vec<_>>(),
            [(9, "a"), (10, "b")]
        );
        let code = emit(&folder.0, &sets).to_string();
        assert!(
            code.find("9_a.up.sql").unwrap() < code.find("10_b.up.sql").unwrap(),
            "{code}"
        );
    }

    #[test]
    fn one_database_alone_is_fine() {
        let folder = Folder::with(&["sqlite/1_a.up.sql", "sqlite/1_a.down.sql"]);
        let sets = read(&folder.0).unwrap();
        assert_eq!((sets[0].len(), sets[1].len()), (1, 0));
    }

    #[test]
    fn a_missing_way_back_is_named() {
        let text = problems(&["sqlite/1_a.up.sql"]);
        assert!(text.contains("sqlite/1_a.down.sql"), "{text}");
        assert!(problems(&["postgres/1_a.down.sql"]).contains("postgres/1_a.up.sql"));
    }

    #[test]
    fn a_version_used_twice_is_named() {
        let text = problems(&[
            "sqlite/1_a.up.sql",
            "sqlite/1_a.down.sql",
            "sqlite/1_b.up.sql",
            "sqlite/1_b.down.sql",
        ]);
        assert!(text.contains("sqlite/1_b.up.sql"), "{text}");
        assert!(
            problems(&[
                "sqlite/1_a.up.sql",
                "sqlite/01_a.up.sql",
                "sqlite/1_a.down.sql"
            ])
            .contains("1_a.up.sql")
        );
    }

    #[test]
    fn different_sets_are_named() {
        let text = problems(&[
            "sqlite/1_a.up.sql",
            "sqlite/1_a.down.sql",
            "postgres/2_b.up.sql",
            "postgres/2_b.down.sql",
        ]);
        assert!(
            text.contains("`sqlite/1_a.up.sql` has no `postgres/1_a.up.sql`"),
            "{text}"
        );
        assert!(
            text.contains("`postgres/2_b.up.sql` has no `sqlite/2_b.up.sql`"),
            "{text}"
        );
        let text = problems(&[
            "sqlite/1_a.up.sql",
            "sqlite/1_a.down.sql",
            "postgres/1_b.up.sql",
            "postgres/1_b.down.sql",
        ]);
        assert!(text.contains("use one name"), "{text}");
    }

    #[test]
    fn bad_names_and_no_folder() {
        for file in [
            "sqlite/a.up.sql",
            "sqlite/1.up.sql",
            "sqlite/1_.up.sql",
            "sqlite/-1_a.up.sql",
            "sqlite/1_a.sql",
        ] {
            let text = problems(&[file]);
            assert!(text.contains(file), "{text}");
        }
        assert!(read(Path::new("/nowhere/at/all")).unwrap_err()[0].contains("/nowhere/at/all"));
    }
}
