//! The macros work inside `macro_rules!`, with names from the body of the macro and from its
//! arguments.

use doyen::data::Row;
use doyen::prelude::*;
use doyen::schema::rule::Broken;

macro_rules! domain {
    ($(#[$on_field:meta])* $name:ident, $row:ident, $problem:ident, $settings:ident, $max:expr, $check:path) => {
        /// A thing.
        #[derive(Input, Output)]
        #[validate(custom = $check)]
        pub(crate) struct $name {
            $(#[$on_field])*
            name: String,
            #[validate(range(min = 1, max = $max), custom = Self::even)]
            size: Option<u32>,
            #[validate(items(max = 3), unique_items, each(length(max = $max)))]
            #[input(default)]
            tags: Vec<String>,
        }

        impl $name {
            fn even(size: &u32) -> Result<(), Broken> {
                match size % 2 {
                    0 => Ok(()),
                    _ => Err(Broken::new("odd", "must be even")),
                }
            }
        }

        /// A row. No other derive is needed.
        #[derive(Row)]
        #[allow(dead_code, reason = "compiling is the test")]
        pub(crate) struct $row {
            pub(crate) name: String,
            #[row(try_from = "String")]
            pub(crate) kind: Option<String>,
        }

        /// Why not.
        #[derive(Debug, Problem)]
        pub(crate) enum $problem {
            /// The thing is missing. Look elsewhere.
            #[problem(not_found, detail = "{left} are left.")]
            Missing { left: u32 },
        }

        #[derive(Debug, Clone, Settings)]
        #[allow(dead_code, reason = "compiling is the test")]
        pub(crate) struct $settings {
            /// Number of things.
            #[setting(default = 3)]
            pub(crate) things: u32,
        }

        /// Read a thing.
        #[post("/things/{id}", allow = anyone)]
        async fn read_thing(id: u32, Json(thing): Json<$name>) -> Result<Json<$name>, $problem> {
            match id {
                0 => Err($problem::Missing { left: 1 }),
                _ => Ok(Json(thing)),
            }
        }
    };
}

/// A rule names its field with any text.
fn checked(thing: &Thing) -> Result<(), Broken> {
    let field = ["na", "me"].concat();
    match thing.name.as_str() {
        "forbidden" => Err(Broken::new("forbidden", "must be another one").field(&field)),
        _ => Ok(()),
    }
}

domain! {
    #[validate(length(min = 1, max = 20), pattern = "^[a-z]+$", async = free)]
    Thing, ThingRow, FindThing, ThingSettings, 10, checked
}

async fn free(_: &String, _: &doyen::domain::inject::Context) -> Result<(), Broken> {
    Ok(())
}

pub(crate) fn module() -> Module {
    Module::new("things").routes(routes![read_thing])
}
