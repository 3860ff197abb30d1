//! Every variant of `doyen new` passes the checks that it brings: format, clippy, tests.
//!
//! In the gate, the variants have the Cargo features of the application in `first_hour`, so that
//! what they depend on is built once. `cargo xtask soak` builds all of them with their own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::by_hand;
use crate::sandbox::{Ended, Sandbox, checkout, run};

/// The default with PostgreSQL is in `first_hour`.
const VARIANTS: [&[&str]; 7] = [
    &["--postgres", "--no-accounts"],
    &["--flat", "--postgres"],
    &["--flat", "--postgres", "--no-accounts"],
    &[],
    &["--no-accounts"],
    &["--flat"],
    &["--flat", "--no-accounts"],
];

/// The number of variants that the gate builds.
const IN_THE_GATE: usize = 3;

/// True under `cargo xtask soak`.
fn is_soak() -> bool {
    std::env::var_os("DOYEN_SOAK").is_some()
}

/// The target directory of the repository: what the applications depend on is built already, as
/// far as its Cargo features are the same.
fn target() -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.parent().unwrap().to_path_buf()
}

/// The path of a program that cargo has built.
pub(crate) fn program(name: &str) -> PathBuf {
    target().join("debug").join(name)
}

/// Takes the versions of this repository, so that nothing is resolved or fetched.
pub(crate) fn lock(application: &Path) {
    let lock = checkout().join("Cargo.lock");
    std::fs::copy(lock, application.join("Cargo.lock")).unwrap();
}

/// Runs cargo in an application, without the network.
pub(crate) fn cargo(application: &Path, arguments: &[&str]) -> Ended {
    run(&mut cargo_command(application, arguments))
}

pub(crate) fn cargo_command(application: &Path, arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(arguments).current_dir(application);
    set_environment(&mut command);
    command
}

/// Sets the variables of cargo.
pub(crate) fn set_environment(command: &mut Command) {
    command
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_NET_OFFLINE", "true")
        // Tests that write a file to commit would only compare it.
        .env_remove("CI");
}

/// Makes clippy the compiler of the application, so that what it depends on is not checked and
/// built.
fn compile_with_clippy(command: &mut Command) {
    let home = run(Command::new("rustc").args(["--print", "sysroot"])).success();
    let clippy = Path::new(home.stdout.trim()).join("bin/clippy-driver");
    assert!(clippy.is_file(), "{}", clippy.display());
    command.env("RUSTC_WORKSPACE_WRAPPER", clippy).env(
        "CLIPPY_ARGS",
        "--deny__CLIPPY_HACKERY__warnings__CLIPPY_HACKERY__",
    );
}

/// `doyen generate migration`: it runs the application, which is built as in [`gate`].
pub(crate) fn generate_migration(
    sandbox: &Sandbox,
    application: &str,
    arguments: &[&str],
) -> Ended {
    let arguments = [&["generate", "migration"], arguments].concat();
    let mut command = sandbox.doyen_command(application, &arguments);
    set_environment(&mut command);
    compile_with_clippy(&mut command);
    run(&mut command)
}

/// The checks that an application has in its own CI. In the gate, one build is both the tests and
/// the lints.
pub(crate) fn gate(application: &Path) {
    cargo(application, &["fmt", "--check"]).success();
    let mut tests = cargo_command(application, &["test", "--quiet", "--all-targets"]);
    if is_soak() {
        let clippy = [
            "clippy",
            "--quiet",
            "--all-targets",
            "--",
            "--deny",
            "warnings",
        ];
        cargo(application, &clippy).success();
    } else {
        compile_with_clippy(&mut tests);
    }
    let tests = run(&mut tests).success();
    assert!(tests.stdout.contains("test result: ok"), "{}", tests.stdout);
}

/// Takes the dependencies of the application in `first_hour`.
fn share_dependencies(application: &Path) {
    let sandbox = Sandbox::new();
    let path = checkout();
    let new = [
        "new",
        "first-hour",
        "--postgres",
        "--path",
        path.to_str().unwrap(),
    ];
    sandbox.doyen(".", &new).success();
    // A field that needs a Cargo feature.
    let prices = ["generate", "domain", "prices", "amount:decimal"];
    sandbox.doyen("first-hour", &prices).success();
    let shared = std::fs::read_to_string(sandbox.folder.join("first-hour/Cargo.toml")).unwrap();
    let shared = shared.lines().filter(|line| line.starts_with("doyen"));
    let mut shared: Vec<&str> = shared.collect();
    let path = application.join("Cargo.toml");
    let own = std::fs::read_to_string(&path).unwrap();
    let lines = own.lines().map(|line| match line.starts_with("doyen") {
        true => shared.remove(0),
        false => line,
    });
    let text: Vec<&str> = lines.collect();
    std::fs::write(&path, text.join("\n")).unwrap();
}

/// Clippy as the compiler reports what it finds.
#[test]
fn the_gate_of_an_application_finds_a_lint() {
    let sandbox = Sandbox::named("lint");
    let arguments = ["new", "--quiet", "--vcs", "none", "--lib", "lint"];
    run(Command::new("cargo")
        .args(arguments)
        .current_dir(&sandbox.folder))
    .success();
    let lint = sandbox.folder.join("lint");
    let code = "/// A text.\npub fn text() -> String {\n    return String::new();\n}\n";
    std::fs::write(lint.join("src/lib.rs"), code).unwrap();
    let refused = std::panic::catch_unwind(|| gate(&lint));
    let message = refused.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("unneeded `return` statement"), "{message}");
}

/// A field by hand in an application without layers: four edits of one file, and no SQL.
fn one_more_field(sandbox: &Sandbox, shop: &Path) {
    let edits = by_hand::add_field(&shop.join("src/lib.rs"), "body", "remark");
    assert_eq!(edits, (4, 1), "(edits, files)");
    let server = by_hand::postgres_server();
    let arguments = ["note_remark", "--postgres-url", &server];
    let generated = generate_migration(sandbox, "shop", &arguments).success();
    let difference = "missing column `notes.remark`";
    assert!(
        generated.stdout.contains(difference),
        "{}",
        generated.stdout
    );
    for database in ["sqlite", "postgres"] {
        let sql = |way| by_hand::migration(shop, database, "note_remark", way);
        assert_eq!(sql("up"), "ALTER TABLE notes ADD COLUMN remark text;\n");
        assert_eq!(sql("down"), "ALTER TABLE notes DROP COLUMN remark;\n");
    }
}

#[test]
fn each_variant_passes_its_own_gate() {
    let checkout = checkout();
    let checkout = checkout.to_str().unwrap();
    let count = if is_soak() {
        VARIANTS.len()
    } else {
        IN_THE_GATE
    };
    for variant in &VARIANTS[..count] {
        let started = Instant::now();
        // A folder for each, whose name stays: cargo recognizes what it built.
        let name = format!("variant{}", variant.concat());
        let sandbox = Sandbox::named(&name);
        let new = [&["new", "shop", "--path", checkout], *variant].concat();
        sandbox.doyen(".", &new).success();
        let shop = sandbox.folder.join("shop");
        lock(&shop);
        if !is_soak() {
            share_dependencies(&shop);
        }
        // A domain fits into each of them.
        let has_accounts = !variant.contains(&"--no-accounts");
        let owner: &[&str] = if has_accounts {
            &["buyer:ref(users)"]
        } else {
            &[]
        };
        let domain = [
            "generate",
            "domain",
            "orders",
            "sku:text",
            "size:enum(small,large)?",
            "number:text:unique",
            "code:i64?:unique",
            "due:date",
            "total:decimal",
        ];
        let domain = [&domain[..], owner].concat();
        sandbox.doyen("shop", &domain).success();
        if variant.contains(&"--flat") && variant.contains(&"--postgres") {
            one_more_field(&sandbox, &shop);
        }
        gate(&shop);
        let document = std::fs::read_to_string(shop.join("openapi.json")).unwrap();
        assert!(document.contains("/v1/orders"), "{variant:?}");
        let seconds = started.elapsed().as_secs();
        println!("{variant:?}: passed in {seconds} s");
    }
}
