//! Rules: each checks a value and adds its limits to the schema.
//!
//! In `#[validate(..)]` on a field:
//!
//! | rule | for | schema |
//! | --- | --- | --- |
//! | `length(min = 1, max = 200)` | text, counted in characters | `minLength`, `maxLength` |
//! | `pattern = "^[a-z]+$"` | text; an ECMA-262 expression that may match anywhere, so write `^` and `$` | `pattern` |
//! | `email`, `url` | text | `format`, `pattern`, `maxLength` |
//! | `display_name` | text: visible, without control characters and overrides of the text direction | `pattern` |
//! | `not_blank` | text: a character other than white space, code `blank` | `pattern` |
//! | `range(min = 1, max = 100)`, also `exclusive_min`, `exclusive_max` | numbers | `minimum`, ... |
//! | `multiple_of = 5` | whole numbers | `multipleOf` |
//! | `items(min = 1, max = 10)` | lists | `minItems`, `maxItems` |
//! | `unique_items` | lists | `uniqueItems` |
//! | `each(..)` | the items of a list, with the rules above | `items` |
//! | `custom = path` | anything: `fn(&T) -> Result<(), Broken>` | none |
//! | `async = path` | anything: `async fn(&T, &Context) -> Result<(), Broken>` | none |
//!
//! `message = ".."` next to rules replaces their message:
//! `#[validate(length(min = 8), message = "is too short")]`. Several attributes on one field have a
//! message each.
//!
//! `custom` and `async` can also be on the struct, for rules over several fields: they run if every
//! field is valid. A rule on `Option<T>` or `Patch<T>` applies to the value, if there is one.
//!
//! ```
//! # extern crate doyen_schema as doyen;
//! use doyen_schema::Input;
//! use doyen_schema::rule::Broken;
//!
//! #[derive(Input)]
//! #[validate(custom = in_order)]
//! struct Span {
//!     #[validate(range(min = 0))]
//!     from: i32,
//!     to: i32,
//! }
//!
//! fn in_order(span: &Span) -> Result<(), Broken> {
//!     if span.from <= span.to {
//!         return Ok(());
//!     }
//!     Err(Broken::new("order", "must not be before `from`").field("to"))
//! }
//! ```

mod address;
mod broken;
mod items;
mod name;
mod num;
mod number;
mod pattern;
mod text;
mod tighten;

pub use address::{Email, Url};
pub use broken::Broken;
pub use items::{Counted, Items, List, Unique, each, each_schema};
pub use name::{DisplayName, NotBlank};
pub use num::Num;
pub use number::{MultipleOf, Number, Range, Whole};
pub use pattern::Pattern;
pub use text::{Length, Text};
