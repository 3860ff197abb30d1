//! One test per rule, and the correct application.

use crate::app::{App, with};

#[test]
fn a_correct_application_has_no_findings() {
    let report = App::new().check().unwrap();
    assert_eq!(report.findings, []);
    assert_eq!(report.domains, ["crate::accounts", "crate::orders"]);
    // The two modules of tests are not counted.
    assert_eq!(report.modules, 12);
}

#[test]
fn a_domain_imports_no_other_crate() {
    for (import, target) in [
        ("use sea_orm::Entity;", "sea_orm::Entity"),
        ("use doyen::prelude::*;", "doyen::prelude::*"),
        ("use doyen::data::Session;", "doyen::data::Session"),
        ("use doyen::{domain::Page, web::Json};", "doyen::web::Json"),
        ("use doyen;", "doyen"),
        ("use unlisted_crate::X;", "unlisted_crate::X"),
        ("fn f() { tracing::info!(\"x\") }", "tracing::info"),
    ] {
        let found = with("src/orders/domain.rs", import);
        assert_eq!(
            found,
            [format!("src/orders/domain.rs:1 DomainCrate {target}")],
            "{import}"
        );
    }
}

#[test]
fn every_file_of_the_domain_is_checked() {
    let found = with("src/orders/domain/order.rs", "use sea_orm::Entity;");
    assert_eq!(
        found,
        ["src/orders/domain/order.rs:1 DomainCrate sea_orm::Entity"]
    );
}

#[test]
fn a_domain_imports_no_other_layer() {
    for import in [
        "super::infrastructure::SqlOrders",
        "crate::orders::infrastructure::SqlOrders",
    ] {
        let found = with("src/orders/domain.rs", &format!("use {import};"));
        assert_eq!(
            found,
            ["src/orders/domain.rs:1 DomainLayer crate::orders::infrastructure::SqlOrders"]
        );
    }
    let found = with("src/orders/domain.rs", "use super::api;");
    assert_eq!(
        found,
        ["src/orders/domain.rs:1 DomainLayer crate::orders::api"]
    );
}

#[test]
fn a_domain_imports_no_other_domain() {
    for import in ["Account", "domain::Account"] {
        let found = with(
            "src/orders/domain.rs",
            &format!("use crate::accounts::{import};"),
        );
        assert_eq!(
            found,
            [format!(
                "src/orders/domain.rs:1 DomainDomain crate::accounts::{import}"
            )]
        );
    }
}

#[test]
fn a_domain_imports_no_other_module() {
    let found = with("src/orders/domain.rs", "use crate::settings::Settings;");
    assert_eq!(
        found,
        ["src/orders/domain.rs:1 DomainModule crate::settings::Settings"]
    );
}

#[test]
fn the_shared_kernel_obeys_the_rule_of_a_domain() {
    let found = with("src/access.rs", "use sea_orm::Entity;");
    assert_eq!(found, ["src/access.rs:1 DomainCrate sea_orm::Entity"]);
    let found = with("src/access.rs", "use crate::orders::domain::Orders;");
    assert_eq!(
        found,
        ["src/access.rs:1 DomainModule crate::orders::domain::Orders"]
    );
}

#[test]
fn only_listed_modules_and_crates_are_exempt() {
    let manifest = "[package]\nname = \"shop\"\n[dependencies]\nchrono = \"1\"\n";
    let found = App::new().file("Cargo.toml", manifest).findings();
    assert_eq!(
        found,
        [
            "src/orders/domain.rs:6 DomainModule crate::access::User",
            "src/orders/domain.rs:9 DomainCrate chrono::Day",
        ]
    );
}

#[test]
fn the_modules_of_another_domain_are_private() {
    for file in [
        "src/orders/api.rs",
        "src/orders/infrastructure.rs",
        "src/orders/mod.rs",
    ] {
        let found = with(file, "use crate::accounts::domain::Account as Other;");
        assert_eq!(
            found,
            [format!(
                "{file}:1 OtherDomain crate::accounts::domain::Account"
            )]
        );
        let found = with(file, "use crate::accounts::infrastructure;");
        assert_eq!(
            found,
            [format!(
                "{file}:1 OtherDomain crate::accounts::infrastructure"
            )]
        );
    }
}

#[test]
fn api_and_infrastructure_do_not_import_each_other() {
    let found = with("src/orders/api.rs", "use super::infrastructure::SqlOrders;");
    assert_eq!(
        found,
        ["src/orders/api.rs:1 ApiInfrastructure crate::orders::infrastructure::SqlOrders"]
    );
    let found = with("src/orders/infrastructure.rs", "use super::api::place;");
    assert_eq!(
        found,
        ["src/orders/infrastructure.rs:1 InfrastructureApi crate::orders::api::place"]
    );
}

#[test]
fn a_domain_includes_no_file_from_elsewhere() {
    let found = App::new()
        .line(
            "src/orders/domain.rs",
            "#[path = \"infrastructure.rs\"] mod hidden;",
        )
        .file("src/orders/infrastructure.rs", "pub struct SqlOrders;")
        .findings();
    assert_eq!(
        found,
        ["src/orders/domain.rs:1 IncludedFile #[path = \"infrastructure.rs\"]"]
    );
    let found = with("src/orders/domain.rs", "include!(\"infrastructure.rs\");");
    assert_eq!(found, ["src/orders/domain.rs:1 IncludedFile include!"]);
}

#[test]
fn the_root_of_the_application_may_wire_everything() {
    let wiring =
        "use accounts::domain::Account;\nuse orders::domain::Orders;\nuse sea_orm::Entity;";
    assert_eq!(with("src/lib.rs", wiring), Vec::<String>::new());
}

#[test]
fn a_finding_has_location_rule_and_remedy() {
    let report = App::new()
        .line("src/orders/domain.rs", "use super::api::place;")
        .check()
        .unwrap();
    let message = report.findings[0].to_string();
    assert!(
        message.starts_with("src/orders/domain.rs:1: `super::api::place` (`crate::orders::api::place`): a domain imports no other layer"),
        "{message}"
    );
    assert!(message.contains("port"), "{message}");
}
