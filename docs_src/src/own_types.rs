//! A domain type that parses itself, so that every value is valid.

use std::str::FromStr;

use doyen::prelude::*;

/// Article number: two letters, a hyphen and three digits.
#[derive(Debug, Input, Output)]
#[input(from_str, pattern = "^[A-Z]{2}-[0-9]{3}$")]
struct Sku(String);

impl FromStr for Sku {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // Runs after the pattern, for a rule that the pattern does not express.
        if text.starts_with("XX") {
            Err("must not begin with XX, which is reserved for tests")
        } else {
            Ok(Self(text.to_owned()))
        }
    }
}

/// A percentage from 0 to 100.
#[derive(Input, Output)]
struct Percent(#[validate(range(min = 0, max = 100))] u8);

/// A price reduction.
#[derive(Input)]
struct Cut {
    discount: Percent,
}

/// The discount on an article.
#[derive(Output)]
struct Discount {
    sku: Sku,
    discount: Percent,
}

/// Reduce a price
#[post("/articles/{sku}/discount", allow = anyone)]
async fn cut(sku: Sku, Json(cut): Json<Cut>) -> Json<Discount> {
    let discount = cut.discount;
    Json(Discount { sku, discount })
}

/// The module with prices.
pub fn module() -> Module {
    Module::new("prices").routes(routes![cut])
}
