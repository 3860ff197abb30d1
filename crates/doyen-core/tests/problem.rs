//! `#[derive(Problem)]` as an application uses it.

#![allow(missing_docs, reason = "a test")]

extern crate doyen_core as doyen;

use std::error::Error;

use doyen_core::{At, Failures, Kind, Place, Problem, Unexpected};

/// An error of placing an order.
#[derive(Debug, Problem)]
enum PlaceOrder {
    /// There is no such article.
    #[problem(not_found, code = "article_not_found")]
    Missing,
    /// Fewer are left than were requested.
    #[problem(
        conflict,
        detail = "Only {left} of {sku:?} are left; {{asked}} were {left} too many."
    )]
    OutOfStock { sku: String, left: u32 },
    /// The warehouse did not answer.
    #[problem(unavailable, title = "Warehouse Closed")]
    Warehouse {
        #[problem(cause)]
        cause: std::num::ParseIntError,
        #[problem(retry_after)]
        again: u32,
    },
    /// The order is not acceptable.
    #[problem(invalid, code = "bad_order")]
    Bad(#[problem(failures)] Failures),
    #[problem(transparent)]
    Payment(Payment),
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// The bank refused.
#[derive(Debug, Problem)]
#[problem(conflict, detail = "The bank said {0}.")]
struct Payment(u16);

/// The shop is closed for good.
#[derive(Debug, Problem)]
#[problem(gone)]
struct Closed;

fn parse(text: &str) -> Result<u32, PlaceOrder> {
    let unexpected = || -> Result<u32, Unexpected> { Ok(text.parse()?) };
    Ok(unexpected()?)
}

fn pay() -> Result<(), PlaceOrder> {
    Err(Payment(51))?
}

#[test]
fn each_variant_has_its_row() {
    let info = PlaceOrder::Missing.info();
    assert_eq!(
        (info.code, info.kind, info.title),
        ("article_not_found", Kind::NotFound, "Article Not Found")
    );
    assert_eq!(info.description, "There is no such article.");
    assert_eq!(Closed.info().code, "closed");
    let codes: Vec<&str> = PlaceOrder::catalogue().iter().map(|row| row.code).collect();
    let own = [
        "article_not_found",
        "out_of_stock",
        "warehouse",
        "bad_order",
        "payment",
    ];
    assert_eq!(codes[..5], own);
    assert_eq!(
        codes[5..],
        Unexpected::catalogue()
            .iter()
            .map(|row| row.code)
            .collect::<Vec<_>>()
    );
}

#[test]
fn the_detail_shows_the_fields() {
    let problem = PlaceOrder::OutOfStock {
        sku: "tea".into(),
        left: 3,
    };
    assert_eq!(
        problem.detail().as_deref(),
        Some("Only 3 of \"tea\" are left; {asked} were 3 too many.")
    );
    assert_eq!(problem.to_string(), problem.detail().unwrap());
    assert_eq!(PlaceOrder::Missing.detail(), None);
    assert_eq!(PlaceOrder::Missing.to_string(), "There is no such article.");
}

#[test]
fn marked_fields_are_the_cause_the_failures_and_the_retry_time() {
    let problem = PlaceOrder::Warehouse {
        cause: "x".parse::<u8>().unwrap_err(),
        again: 7,
    };
    assert_eq!(problem.retry_after(), Some(7));
    assert_eq!(problem.info().title, "Warehouse Closed");
    assert_eq!(
        Problem::cause(&problem).unwrap().to_string(),
        "invalid digit found in string"
    );
    assert_eq!(
        problem.source().unwrap().to_string(),
        "invalid digit found in string"
    );

    let mut failures = Failures::new();
    At::root(Place::Body)
        .field("sku")
        .fail(&mut failures, "required", "is required");
    assert_eq!(PlaceOrder::Bad(failures).failures().unwrap().len(), 1);
}

#[test]
fn nested_problems_are_transparent() {
    let problem = parse("x").unwrap_err();
    assert!(matches!(problem, PlaceOrder::Unexpected(_)));
    assert_eq!(problem.info().code, "internal");
    assert_eq!(
        problem.source().unwrap().to_string(),
        "invalid digit found in string"
    );

    let problem = pay().unwrap_err();
    assert_eq!(problem.info().code, "payment");
    assert_eq!(problem.detail().as_deref(), Some("The bank said 51."));
    assert_eq!(
        PlaceOrder::Unexpected(Unexpected::unavailable("away")).retry_after(),
        Some(1)
    );
}
