//! Applications that cannot be checked.

use doyen_layers::Error;

use crate::app::App;

fn message(app: App) -> String {
    app.check().unwrap_err().to_string()
}

#[test]
fn a_manifest_that_is_missing_or_wrong() {
    assert!(message(App::new().without("Cargo.toml")).starts_with("cannot read "));
    assert!(message(App::new().file("Cargo.toml", "[")).starts_with("cannot parse "));
    let without_name = App::new().file("Cargo.toml", "[package]\n");
    assert!(message(without_name).ends_with("the package has no name"));
}

#[test]
fn an_application_without_sources() {
    assert!(matches!(
        App::new().without("src/lib.rs").check(),
        Err(Error::NoSource(_))
    ));
}

#[test]
fn a_module_without_a_file() {
    let text = message(App::new().without("src/settings.rs"));
    assert!(
        text.ends_with("src/lib.rs:4: the file of the module `settings` does not exist"),
        "{text}"
    );
}

#[test]
fn a_module_in_a_macro_may_have_no_file() {
    let app = App::new().line("src/lib.rs", "domains! { mod nowhere; }");
    assert_eq!(app.findings(), Vec::<String>::new());
}

#[test]
fn a_file_that_is_not_rust() {
    let text = message(App::new().file("src/settings.rs", "\n(\n"));
    assert!(text.contains("settings.rs: line "), "{text}");
}

#[test]
fn a_shared_kernel_that_does_not_exist() {
    let manifest =
        "[package]\nname = \"shop\"\n[package.metadata.doyen]\nshared-kernel = [\"kernel\"]\n";
    let text = message(App::new().file("Cargo.toml", manifest));
    assert_eq!(
        text,
        "`shared-kernel` in Cargo.toml names `kernel`, but there is no such module"
    );
}

#[test]
fn imports_in_a_circle_end() {
    let found = App::new()
        .line(
            "src/settings.rs",
            "pub use self::a::b as a; pub use crate::access::c as d;",
        )
        .line(
            "src/access.rs",
            "pub use crate::access::*; pub use crate::access::d as c;",
        )
        .line(
            "src/orders/api.rs",
            "use crate::settings::a; use crate::settings::d; use crate::access::c;",
        )
        .findings();
    assert_eq!(found, Vec::<String>::new());
}
