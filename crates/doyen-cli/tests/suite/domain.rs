//! `doyen generate domain`, without building what it writes.

use crate::sandbox::Sandbox;

const ORDERS: [&str; 7] = [
    "generate",
    "domain",
    "orders",
    "sku:text",
    "status:enum(open,paid)",
    "buyer:ref(users)",
    "notes:text?",
];

#[test]
fn a_second_run_changes_nothing() {
    let (sandbox, _) = Sandbox::shop(&["--postgres"]);
    let first = sandbox.doyen("shop", &ORDERS).success();
    for line in [
        "create src/orders/api.rs",
        "create tests/suite/orders.rs",
        "edit src/lib.rs",
        "edit src/access.rs",
    ] {
        assert!(first.stdout.contains(line), "{line} in\n{}", first.stdout);
    }
    let before = sandbox.files("shop");
    let second = sandbox.doyen("shop/src/orders", &ORDERS).success();
    for verb in ["create ", "edit ", "overwrite "] {
        assert!(
            !second.stdout.contains(verb),
            "{verb} in\n{}",
            second.stdout
        );
    }
    assert_eq!(sandbox.files("shop"), before);
}

#[test]
fn a_conflict_is_shown_and_nothing_is_written() {
    let (sandbox, shop) = Sandbox::shop(&[]);
    sandbox.doyen("shop", &ORDERS).success();
    let api = shop.join("src/orders/api.rs");
    let text = std::fs::read_to_string(&api).unwrap();
    let mine = text.replace("/// Create an order", "/// Place an order");
    std::fs::write(&api, &mine).unwrap();
    let lost = shop.join("src/orders/mod.rs");
    std::fs::remove_file(&lost).unwrap();
    let ended = sandbox.doyen("shop", &ORDERS);
    let ended = ended.failure(1, &["1 file exists with other contents", "--force"]);
    for line in [
        "--- src/orders/api.rs",
        "-/// Place an order",
        "+/// Create an order",
    ] {
        assert!(ended.stdout.contains(line), "{line} in\n{}", ended.stdout);
    }
    assert_eq!(std::fs::read_to_string(&api).unwrap(), mine);
    assert!(!lost.exists(), "nothing is written");

    let forced = [&ORDERS[..], &["--force"]].concat();
    let forced = sandbox.doyen("shop", &forced).success();
    assert!(
        forced.stdout.contains("overwrite src/orders/api.rs"),
        "{}",
        forced.stdout
    );
    assert_eq!(std::fs::read_to_string(&api).unwrap(), text);
    assert!(lost.exists());
}

#[test]
fn names_and_references_are_checked() {
    let (sandbox, _) = Sandbox::shop(&["--no-accounts"]);
    let before = sandbox.files("shop");
    for (arguments, code, words) in [
        (&["order", "sku:text"][..], 2, "reserved word of SQL"),
        (&["book", "title:text"], 2, "write `books`"),
        (&["pages", "title:text"], 2, "`Page` is a type"),
        (&["users", "name:text"], 2, "already has"),
        (
            &["orders", "sku:text", "sku:u32"],
            2,
            "`sku` is there twice",
        ),
        (
            &["orders", "buyer:ref(users)", "sku:text"],
            1,
            "has no accounts",
        ),
        (
            &["orders", "product:ref(products)", "sku:text"],
            1,
            "no domain `products`",
        ),
        (
            &["trees", "name:text", "parent:ref(trees)"],
            2,
            "make it optional",
        ),
        (&["orders", "note:ref(notes)"], 2, "no reference"),
    ] {
        let arguments = [&["generate", "domain"], arguments].concat();
        sandbox.doyen("shop", &arguments).failure(code, &[words]);
    }
    assert_eq!(sandbox.files("shop"), before);
    let people = [
        "generate",
        "domain",
        "people",
        "name:text",
        "--singular",
        "person",
    ];
    sandbox.doyen("shop", &people).success();
}

#[test]
fn an_edit_without_a_place_is_left_to_the_user() {
    let (sandbox, shop) = Sandbox::shop(&[]);
    let lib = shop.join("src/lib.rs");
    let text = std::fs::read_to_string(&lib).unwrap();
    let text = text.replace("        .module(users::module())\n", "");
    let text = text.replace(
        "        .module(notes::module())\n",
        "        .modules(all())\n",
    );
    std::fs::write(&lib, text).unwrap();
    let ended = sandbox.doyen("shop", &ORDERS);
    let ended = ended.failure(1, &["1 edit is left to you"]);
    let left = "src/lib.rs: add\n\n    .module(orders::module())";
    assert!(ended.stdout.contains(left), "{}", ended.stdout);
    let lib = std::fs::read_to_string(&lib).unwrap();
    assert!(
        lib.contains("pub mod orders;"),
        "the other edit is made\n{lib}"
    );
}
