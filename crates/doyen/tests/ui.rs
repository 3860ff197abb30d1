//! Compile errors are interface: each foreseen mistake has a file of its name under `ui/fail`, and its message is pinned beside it.
//!
//! `TRYBUILD=overwrite cargo nextest run -p doyen --test ui` writes the messages anew: read each as somebody who sees it for the first time.
//! What must compile is no case of its own but a module of this test, so that nothing is linked for it.

#![allow(missing_docs, reason = "a test")]

#[path = "ui/pass/every_form.rs"]
mod every_form;

#[test]
fn ui_every_foreseen_mistake_says_what_to_write() {
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
