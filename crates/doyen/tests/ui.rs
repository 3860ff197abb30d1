//! Compile errors are interface: each foreseen mistake has a file named after it in `ui/fail`, with
//! the expected message in the file next to it.
//!
//! `TRYBUILD=overwrite cargo nextest run -p doyen --test ui` writes the messages again. Read each
//! of them as a user who sees it for the first time. Code that must compile is a module of this
//! test, so that it costs no further link.

#![allow(missing_docs, reason = "a test")]

#[path = "ui/pass/every_form.rs"]
mod every_form;

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
