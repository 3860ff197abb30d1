//! A domain type that parses itself: a value that exists is right.

use std::str::FromStr;

use doyen::prelude::*;

/// The number on the label: two letters and three digits.
#[derive(Debug, Input, Output)]
#[input(from_str, pattern = "^[A-Z]{2}-[0-9]{3}$")]
struct Sku(String);

impl FromStr for Sku {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The pattern is checked already; this is a rule that no pattern can say.
        if text.starts_with("XX") {
            Err("must not begin with XX, which is for tests")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

/// From 0 to 100.
#[derive(Input, Output)]
struct Percent(#[validate(range(min = 0, max = 100))] u8);

/// A price cut.
#[derive(Input)]
struct Cut {
    discount: Percent,
}

/// What it costs less.
#[derive(Output)]
struct Discount {
    sku: Sku,
    discount: Percent,
}

/// Cut a price.
#[post("/articles/{sku}/discount", allow = anyone)]
async fn cut(sku: Sku, Json(cut): Json<Cut>) -> Json<Discount> {
    let discount = cut.discount;
    Json(Discount { sku, discount })
}

/// Prices.
pub fn module() -> Module {
    Module::new("prices").routes(routes![cut])
}
