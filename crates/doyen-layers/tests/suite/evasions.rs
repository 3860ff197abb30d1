//! Ways to hide an import. Each is found.

use crate::app::{App, with};

const DOMAIN: &str = "src/orders/domain.rs";
const API: &str = "src/orders/api.rs";

fn domain(line: &str, finding: &str) {
    assert_eq!(
        with(DOMAIN, line),
        [format!("{DOMAIN}:1 {finding}")],
        "{line}"
    );
}

fn api(line: &str, finding: &str) {
    assert_eq!(with(API, line), [format!("{API}:1 {finding}")], "{line}");
}

#[test]
fn a_renamed_import() {
    domain("use sea_orm as words;", "DomainCrate sea_orm");
    domain(
        "use doyen as d; fn f(_: d::data::Session) {}",
        "DomainCrate doyen",
    );
    domain("extern crate sea_orm as words;", "DomainCrate sea_orm");
    domain("use super as up;", "DomainLayer crate::orders");
    domain("use crate as root;", "DomainModule crate");
    api(
        "use super as up; fn f(_: up::infrastructure::SqlOrders) {}",
        "ApiInfrastructure crate::orders::infrastructure::SqlOrders",
    );
    api(
        "use crate::accounts as a; fn f(_: a::domain::Account) {}",
        "OtherDomain crate::accounts::domain::Account",
    );
    api(
        "use crate as root; use root::accounts::domain::Account;",
        "OtherDomain crate::accounts::domain::Account",
    );
}

#[test]
fn an_inline_path() {
    domain("fn f(_: sea_orm::Entity) {}", "DomainCrate sea_orm::Entity");
    domain(
        "fn f() { ::sea_orm::query() }",
        "DomainCrate sea_orm::query",
    );
    domain(
        "fn f() -> ::sea_orm::Entity { todo!() }",
        "DomainCrate sea_orm::Entity",
    );
    domain(
        "impl<T> Trait for T where T: sea_orm::Entity {}",
        "DomainCrate sea_orm::Entity",
    );
    domain(
        "fn f(_: super::infrastructure::SqlOrders) {}",
        "DomainLayer crate::orders::infrastructure::SqlOrders",
    );
    domain(
        "fn f(_: <super::api::View as Copy>::Part) {}",
        "DomainLayer crate::orders::api::View",
    );
    api(
        "fn f(_: crate::accounts::domain::Account) {}",
        "OtherDomain crate::accounts::domain::Account",
    );
}

#[test]
fn a_chain_of_super() {
    domain(
        "use super::super::settings::Settings;",
        "DomainModule crate::settings::Settings",
    );
    domain(
        "use self::super::api::place;",
        "DomainLayer crate::orders::api::place",
    );
    domain(
        "mod inner { use super::super::super::accounts::Account; }",
        "DomainDomain crate::accounts::Account",
    );
    api(
        "use super::super::accounts::domain::Account as Other;",
        "OtherDomain crate::accounts::domain::Account",
    );
}

#[test]
fn a_glob() {
    domain("use super::*;", "DomainLayer crate::orders::*");
    domain("use crate::*;", "DomainModule crate::*");
    domain("use sea_orm::*;", "DomainCrate sea_orm::*");
    api(
        "use super::*;",
        "ApiInfrastructure crate::orders::SqlOrders",
    );
    api(
        "use crate::*; fn f(_: accounts::domain::Account) {}",
        "OtherDomain crate::accounts::domain::Account",
    );
    api("use crate::accounts::*;", "OtherDomain crate::accounts::*");
}

#[test]
fn a_nested_tree_on_several_lines() {
    let found = with(
        DOMAIN,
        "use crate::{\n  access::User as U,\n  orders::{domain::Order as O, api::{\n    place}},\n};",
    );
    assert_eq!(
        found,
        [format!("{DOMAIN}:4 DomainLayer crate::orders::api::place")]
    );
}

#[test]
fn an_import_inside_of_a_function_or_a_module() {
    domain(
        "fn f() { use sea_orm::Entity; }",
        "DomainCrate sea_orm::Entity",
    );
    domain(
        "mod inner { pub mod deep { use sea_orm::Entity; } }",
        "DomainCrate sea_orm::Entity",
    );
}

#[test]
fn the_tokens_of_a_macro() {
    domain(
        "lazy! { use sea_orm::Entity; }",
        "DomainCrate sea_orm::Entity",
    );
    domain("wrap!(sea_orm::{query});", "DomainCrate sea_orm::query");
    domain(
        "macro_rules! m { () => { sea_orm::query() } }",
        "DomainCrate sea_orm::query",
    );
    domain(
        "macro_rules! m { () => { $crate::orders::api::place() } }",
        "DomainLayer crate::orders::api::place",
    );
}

#[test]
fn an_attribute() {
    domain(
        "#[derive(sea_orm::DeriveEntityModel)] struct Row;",
        "DomainCrate sea_orm::DeriveEntityModel",
    );
    domain(
        "#[serde(with = \"crate::orders::api::format\")] struct Row;",
        "DomainLayer crate::orders::api::format",
    );
    domain(
        "#[cfg_attr(unix, derive(sea_orm::X))] struct Row;",
        "DomainCrate sea_orm::X",
    );
}

#[test]
fn a_condition_that_is_not_for_tests_only() {
    domain(
        "#[cfg(not(test))] use sea_orm::Entity;",
        "DomainCrate sea_orm::Entity",
    );
    domain(
        "#[cfg(any(test, feature = \"x\"))] use sea_orm::Entity;",
        "DomainCrate sea_orm::Entity",
    );
}

#[test]
fn a_re_export_in_between() {
    // The private imports of `mod.rs` are visible in its child modules.
    domain(
        "use super::SqlOrders;",
        "DomainLayer crate::orders::SqlOrders",
    );
    api(
        "use super::SqlOrders;",
        "ApiInfrastructure crate::orders::SqlOrders",
    );
    // The root of the crate exports a part of another domain.
    let found = App::new()
        .line("src/lib.rs", "pub use accounts::domain::Account;")
        .line(API, "use crate::Account as Other;")
        .findings();
    assert_eq!(found, [format!("{API}:1 OtherDomain crate::Account")]);
    // `mod.rs` of another domain exports a module under another name.
    let found = App::new()
        .line("src/accounts/mod.rs", "pub use domain as words;")
        .line(API, "use crate::accounts::words;")
        .findings();
    assert_eq!(
        found,
        [format!("{API}:1 OtherDomain crate::accounts::words")]
    );
    // An alias in a module that is no domain.
    let found = App::new()
        .line(
            "src/settings.rs",
            "pub use crate::orders::infrastructure as store;",
        )
        .line(API, "use crate::settings::store::SqlOrders;")
        .findings();
    assert_eq!(
        found,
        [format!(
            "{API}:1 ApiInfrastructure crate::settings::store::SqlOrders"
        )]
    );
}

#[test]
fn the_own_name_of_the_crate() {
    let app = || App::new().line("src/lib.rs", "extern crate self as me;");
    let found = app().line(DOMAIN, "use me::orders::api::place;").findings();
    assert_eq!(
        found,
        [format!("{DOMAIN}:1 DomainLayer crate::orders::api::place")]
    );
    domain(
        "use shop::orders::api::place;",
        "DomainLayer crate::orders::api::place",
    );
    let found = App::new()
        .line("src/lib.rs", "extern crate sea_orm as words;")
        .line(DOMAIN, "fn f(_: words::Entity) {}")
        .findings();
    assert_eq!(found, [format!("{DOMAIN}:1 DomainCrate sea_orm::Entity")]);
}

#[test]
fn a_raw_identifier() {
    domain("use r#sea_orm::Entity;", "DomainCrate sea_orm::Entity");
    domain(
        "use super::r#api::place;",
        "DomainLayer crate::orders::api::place",
    );
}

#[test]
fn a_dependency_under_another_name() {
    let manifest = "[package]\nname = \"shop\"\n[package.metadata.doyen]\ndomain-crates = [\"chrono\"]\nshared-kernel = [\"access\"]\n\
                    [dependencies]\nwords = { package = \"sea-orm\", version = \"2\" }\n";
    let found = App::new()
        .file("Cargo.toml", manifest)
        .line(DOMAIN, "fn f(_: words::Entity) {}")
        .findings();
    assert_eq!(found, [format!("{DOMAIN}:1 DomainCrate words::Entity")]);
}

#[test]
fn a_domain_in_a_folder_with_mod_rs_or_deeper() {
    let app = || {
        App::new()
            .file("src/lib.rs", "mod access; mod sales; mod accounts;")
            .file("src/sales/mod.rs", "mod billing;")
            .file("src/sales/billing/mod.rs", "mod domain; mod api;")
            .file("src/sales/billing/api/mod.rs", "")
    };
    let found = app()
        .file("src/sales/billing/domain/mod.rs", "use super::api::View;")
        .findings();
    assert_eq!(
        found,
        ["src/sales/billing/domain/mod.rs:1 DomainLayer crate::sales::billing::api::View"]
    );
    let found = app()
        .file(
            "src/sales/billing/domain/mod.rs",
            "use crate::accounts::Account;",
        )
        .findings();
    assert_eq!(
        found,
        ["src/sales/billing/domain/mod.rs:1 DomainDomain crate::accounts::Account"]
    );
}

#[test]
fn an_inline_domain() {
    let found = App::new()
        .file("src/orders/mod.rs", "mod api;\nmod infrastructure;\npub mod domain {\n  use super::api::View;\n pub struct Orders;}")
        .findings();
    assert_eq!(
        found,
        ["src/orders/mod.rs:4 DomainLayer crate::orders::api::View"]
    );
}

#[test]
fn an_import_is_reported_once() {
    domain(
        "use sea_orm::Entity as E; fn f(_: E::A) -> E::B { E::C }",
        "DomainCrate sea_orm::Entity",
    );
}
