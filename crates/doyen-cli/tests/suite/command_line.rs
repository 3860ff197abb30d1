//! Help, completions and mistakes.

use crate::sandbox::Sandbox;

#[test]
fn help_has_examples() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["--help"][..],
        &["new", "--help"],
        &["generate", "domain", "--help"],
        &["generate", "field", "--help"],
        &["generate", "migration", "--help"],
        &["openapi", "diff", "--help"],
        &["completions", "--help"],
    ] {
        let help = sandbox.doyen(".", arguments).success();
        assert!(
            help.stdout.contains("Example"),
            "{arguments:?}\n{}",
            help.stdout
        );
    }
}

#[test]
fn completions_know_the_commands() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = sandbox.doyen(".", &["completions", shell]).success();
        for word in ["generate", "doctor", "no-accounts"] {
            assert!(script.stdout.contains(word), "{shell}: {word}");
        }
    }
}

#[test]
fn mistakes_on_the_command_line_have_the_code_2() {
    let sandbox = Sandbox::new();
    let field = ["generate", "domain", "orders", "sku:string"];
    sandbox.doyen(".", &field).failure(
        2,
        &[
            "sku:string",
            "there is no type `string`: write `text`; there are text, u32",
        ],
    );
    sandbox
        .doyen(".", &["generate", "domain", "orders"])
        .failure(2, &["FIELD"]);
    sandbox.doyen(".", &["serve"]).failure(2, &["serve"]);
}

#[test]
fn outside_an_application_it_says_what_to_do() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["generate", "domain", "orders", "sku:text"][..],
        &["generate", "field", "orders", "sku:text"],
        &["generate", "migration", "orders_by_sku"],
    ] {
        let ended = sandbox.doyen(".", arguments);
        ended.failure(1, &["is not inside an application", "run `doyen new shop`"]);
    }
}
