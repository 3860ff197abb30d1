//! `doyen new`, without building what it writes: `first_hour` and `variants` do.

use crate::sandbox::{Sandbox, checkout};

#[test]
fn a_folder_with_contents_is_left_alone() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.folder.join("shop")).unwrap();
    std::fs::write(sandbox.folder.join("shop/mine"), "mine").unwrap();
    let ended = sandbox.doyen(".", &["new", "shop"]);
    ended.failure(1, &["shop exists and is not empty"]);
    assert_eq!(sandbox.files("shop").len(), 1);
}

#[test]
fn names_that_cannot_be_crates_are_refused() {
    let sandbox = Sandbox::new();
    for name in ["Shop", "9shop", "my shop", "doyen", "test", "struct"] {
        sandbox.doyen(".", &["new", name]).failure(2, &[name]);
    }
    assert_eq!(sandbox.files(".").len(), 0);
    sandbox.doyen(".", &["new", "my-shop"]).success();
}

#[test]
fn dependencies_are_published_crates_or_a_checkout() {
    let (_sandbox, shop) = Sandbox::shop(&[]);
    let manifest = std::fs::read_to_string(shop.join("Cargo.toml")).unwrap();
    let version = env!("CARGO_PKG_VERSION");
    assert!(
        manifest.contains(&format!("doyen = {{ version = \"{version}\"")),
        "{manifest}"
    );

    let path = checkout();
    let (sandbox, shop) = Sandbox::shop(&["--path", path.to_str().unwrap()]);
    let manifest = std::fs::read_to_string(shop.join("Cargo.toml")).unwrap();
    let doyen = path.join("crates/doyen");
    assert!(
        manifest.contains(&format!("path = {doyen:?}")),
        "{manifest}"
    );

    let ended = sandbox.doyen(".", &["new", "other", "--path", "shop"]);
    ended.failure(2, &["shop is no checkout of Doyen"]);
}

/// A file that a tool reads is valid in the tool's format.
#[test]
fn every_file_has_the_syntax_of_its_format() {
    for arguments in [&[][..], &["--flat", "--no-accounts"], &["--postgres"]] {
        let (sandbox, _) = Sandbox::shop(arguments);
        for (path, text) in sandbox.files("shop") {
            let name = path.display().to_string();
            assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{name}");
            assert!(!text.contains("{{") || name.ends_with(".rs"), "{name}");
            if name.ends_with(".toml") {
                let table: Result<toml::Table, _> = text.parse();
                table.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            if name.ends_with(".json") {
                let json: Result<serde_json::Value, _> = serde_json::from_str(&text);
                json.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
    }
}
