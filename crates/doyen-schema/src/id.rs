//! Input and output of ids.

use doyen_core::id::{Id, Named, NotAnId};
use doyen_core::{At, Failures};

use crate::input::{Input, Value};
use crate::output::Output;
use crate::{Components, Schema};

fn schema(prefix: &str) -> Schema {
    let example = format!("{prefix}_01jd9m3z6veqjsk4dy2hjcg8x4");
    Schema::of("string")
        .with(
            "pattern",
            format!("^{prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$"),
        )
        .with("examples", vec![example])
}

impl<T: Named + ?Sized> Input for Id<T> {
    fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Self> {
        let Some(text) = value.as_text() else {
            value.refuse("string", "text", at, out);
            return None;
        };
        text.parse()
            .map_err(|wrong: NotAnId| at.fail(out, "format", wrong.to_string()))
            .ok()
    }

    fn schema(_: &mut Components) -> Schema {
        schema(T::PREFIX)
    }
}

impl<T: Named + ?Sized> Output for Id<T> {
    fn schema(_: &mut Components) -> Schema {
        schema(T::PREFIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Ticket;
    impl Named for Ticket {
        const PREFIX: &'static str = "tkt";
    }

    #[test]
    fn the_pattern_matches_the_parser() {
        let schema = schema("tkt");
        let pattern = regex::Regex::new(schema.get("pattern").unwrap().as_str().unwrap()).unwrap();
        for digit in (0..=127_u8).map(char::from) {
            let first = format!("tkt_{digit}1jd9m3z6veqjsk4dy2hjcg8x4");
            let last = format!("tkt_01jd9m3z6veqjsk4dy2hjcg8x{digit}");
            for text in [first, last] {
                assert_eq!(
                    pattern.is_match(&text),
                    text.parse::<Id<Ticket>>().is_ok(),
                    "{text:?}"
                );
            }
        }
    }
}
