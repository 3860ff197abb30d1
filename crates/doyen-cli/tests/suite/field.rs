//! `doyen generate field`, without building what it writes.

use crate::by_hand;
use crate::sandbox::Sandbox;

const FIELD: [&str; 4] = ["generate", "field", "orders", "priority:enum(low,high)"];

fn with_orders() -> (Sandbox, std::path::PathBuf) {
    let (sandbox, shop) = Sandbox::shop(&["--postgres"]);
    let orders = [
        "generate",
        "domain",
        "orders",
        "sku:text",
        "buyer:ref(users)",
    ];
    sandbox.doyen("shop", &orders).success();
    (sandbox, shop)
}

#[test]
fn the_files_are_those_of_a_domain_that_had_the_field_from_the_beginning() {
    let (sandbox, shop) = with_orders();
    sandbox.doyen("shop", &FIELD).success();
    let (other, direct) = Sandbox::shop(&["--postgres"]);
    let orders = [
        "generate",
        "domain",
        "orders",
        "sku:text",
        "buyer:ref(users)",
        "priority:enum(low,high)",
    ];
    other.doyen("shop", &orders).success();
    for file in [
        "src/orders/api.rs",
        "src/orders/domain.rs",
        "src/orders/domain/tests.rs",
        "src/orders/infrastructure.rs",
        "tests/suite/orders.rs",
    ] {
        let text = |folder: &std::path::Path| std::fs::read_to_string(folder.join(file)).unwrap();
        assert_eq!(text(&shop), text(&direct), "{file}");
        assert!(text(&shop).contains("priority"), "{file}");
    }
    let up = by_hand::migration(&shop, "sqlite", "orders_priority", "up");
    assert!(
        up.contains("ALTER TABLE orders ADD COLUMN priority text NOT NULL DEFAULT 'low' CHECK (priority IN ('low', 'high'));"),
        "{up}"
    );
    // On PostgreSQL, the check reads the rows that exist without blocking writers.
    let sql = |name| by_hand::migration(&shop, "postgres", name, "up");
    let up = sql("orders_priority");
    let check =
        "ADD CONSTRAINT orders_priority_check CHECK (priority IN ('low', 'high')) NOT VALID;";
    assert!(up.contains(check), "{up}");
    let checks = sql("orders_priority_checks");
    let validate = "ALTER TABLE orders VALIDATE CONSTRAINT orders_priority_check;";
    assert!(
        checks.starts_with("-- no-transaction\n") && checks.contains(validate),
        "{checks}"
    );
}

/// The first such field gives the operations an error of their own.
#[test]
fn the_first_unique_field_is_added_in_every_layer() {
    let fields = ["code:text?:unique", "total:decimal", "due:date?"];
    let generate = |first: &[&str], then: &[&str]| {
        let (sandbox, shop) = Sandbox::shop(&["--postgres", "--no-accounts"]);
        let domain = [&["generate", "domain", "orders", "sku:text"], first].concat();
        sandbox.doyen("shop", &domain).success();
        if !then.is_empty() {
            let field = [&["generate", "field", "orders"], then].concat();
            sandbox.doyen("shop", &field).success();
        }
        (sandbox, shop)
    };
    let (later, shop) = generate(&[], &fields);
    let (direct, _) = generate(&fields, &[]);
    for folder in ["src", "tests"] {
        let texts = |sandbox: &Sandbox| -> Vec<String> {
            let files = sandbox.files(&format!("shop/{folder}"));
            files.into_iter().map(|(_, text)| text).collect()
        };
        assert_eq!(texts(&later), texts(&direct));
    }
    let manifest = std::fs::read_to_string(shop.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("\"decimal\""), "{manifest}");
    let create =
        |database| by_hand::migration(&shop, database, "orders_code_total_due_indexes", "up");
    let index = "CREATE UNIQUE INDEX orders_by_code ON orders (code);";
    assert!(create("sqlite").contains(index), "{}", create("sqlite"));
    let index = "CREATE UNIQUE INDEX CONCURRENTLY orders_by_code ON orders (code);";
    assert!(create("postgres").contains(index), "{}", create("postgres"));
}

#[test]
fn a_second_run_changes_nothing() {
    let (sandbox, _) = with_orders();
    sandbox.doyen("shop", &FIELD).success();
    let before = sandbox.files("shop");
    let second = sandbox.doyen("shop", &FIELD).success();
    assert!(second.stdout.contains("unchanged"), "{}", second.stdout);
    assert_eq!(sandbox.files("shop"), before);
    let other = sandbox.doyen("shop", &["generate", "field", "orders", "priority:u32"]);
    other.failure(1, &["has `priority:enum(low,high)` already"]);
}

#[test]
fn edits_of_the_user_stay() {
    let (sandbox, shop) = with_orders();
    let domain = shop.join("src/orders/domain.rs");
    let text = std::fs::read_to_string(&domain).unwrap();
    let text = text.replace("    /// Sku.\n", "    /// Stock keeping unit.\n");
    let text = format!("{text}\nimpl Order {{\n    /// Mine.\n    pub fn mine(&self) {{}}\n}}\n");
    std::fs::write(&domain, text).unwrap();
    sandbox.doyen("shop", &FIELD).success();
    let text = std::fs::read_to_string(&domain).unwrap();
    assert!(
        text.contains("/// Stock keeping unit.") && text.contains("fn mine"),
        "{text}"
    );
    assert!(text.contains("pub priority: OrderPriority,\n"), "{text}");
    assert!(
        text.contains("edit.priority.apply(&mut self.priority);"),
        "{text}"
    );
}

#[test]
fn an_edit_without_a_place_is_left_to_the_user() {
    let (sandbox, shop) = with_orders();
    let api = shop.join("src/orders/api.rs");
    let text = std::fs::read_to_string(&api).unwrap();
    let start = text.find("/// An order to create.").unwrap();
    let end = text.find("/// Changes to an order.").unwrap();
    let text = format!("{}{}", &text[..start], &text[end..]);
    std::fs::write(&api, text).unwrap();
    let ended = sandbox.doyen("shop", &FIELD);
    let ended = ended.failure(1, &["left to you"]);
    let left = "src/orders/api.rs: add";
    assert!(ended.stdout.contains(left), "{}", ended.stdout);
    assert!(
        ended.stdout.contains("priority: OrderPriority,"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_field_without_a_value_for_old_rows_must_be_optional() {
    let (sandbox, _) = with_orders();
    let before = sandbox.files("shop");
    for field in [
        "due:timestamp",
        "day:date",
        "helper:ref(users)",
        "code:text:unique",
    ] {
        let optional = match field.strip_suffix(":unique") {
            Some(field) => format!("{field}?:unique"),
            None => format!("{field}?"),
        };
        let ended = sandbox.doyen("shop", &["generate", "field", "orders", field]);
        ended.failure(2, &["make it optional", &optional]);
    }
    let missing = sandbox.doyen("shop", &["generate", "field", "baskets", "size:u32"]);
    missing.failure(1, &["there is no domain `baskets`"]);
    assert_eq!(sandbox.files("shop"), before);
}
