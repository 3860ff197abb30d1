//! Compile errors are interface: each foreseen mistake has a file named after it in `ui/fail`, with
//! the expected message in the file next to it.
//!
//! `TRYBUILD=overwrite cargo nextest run -p doyen --test ui` writes the messages again. Read each
//! of them as a user who sees it for the first time. Code that must compile is a module of this
//! test, so that it costs no further link.

#![allow(missing_docs, reason = "a test")]

#[path = "ui/pass/every_form.rs"]
mod every_form;
#[path = "ui/pass/inside_macro_rules.rs"]
mod inside_macro_rules;

#[test]
fn ui_every_foreseen_mistake_has_a_remedy() {
    trybuild::TestCases::new().compile_fail("tests/ui/fail/*.rs");
}

#[test]
fn every_good_form_makes_a_service() {
    let service = doyen::web::Service::builder()
        .module(every_form::module())
        .build()
        .unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert!(service.operations().len() > 10);
}

#[test]
fn the_macros_work_inside_macro_rules() {
    use doyen::domain::{At, Failures, Place};
    use doyen::schema::Input as _;

    let service = doyen::web::Service::builder()
        .module(inside_macro_rules::module())
        .build()
        .unwrap_or_else(|errors| panic!("{errors:#?}"));
    assert_eq!(service.operations()[0].id, "things_read_thing");
    let body = serde_json::json!({"name": "forbidden", "size": 12, "tags": ["a", "a"]});
    let mut failures = Failures::new();
    let at = At::root(Place::Body);
    assert!(inside_macro_rules::Thing::parse((&body).into(), &at, &mut failures).is_none());
    let found: Vec<_> = failures
        .iter()
        .map(|one| (one.pointer.as_str(), one.code))
        .collect();
    assert_eq!(found, [("/size", "range"), ("/tags/1", "unique")]);
    let body = serde_json::json!({"name": "forbidden"});
    let mut failures = Failures::new();
    assert!(inside_macro_rules::Thing::parse((&body).into(), &at, &mut failures).is_none());
    let found: Vec<_> = failures
        .iter()
        .map(|one| (one.pointer.as_str(), one.code))
        .collect();
    assert_eq!(found, [("/name", "forbidden")]);
}
