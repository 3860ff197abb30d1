//! The derives work without imports and in a module with types of common names.

#![no_implicit_prelude]
#![allow(dead_code, reason = "compiling is the test")]

extern crate doyen_schema as doyen;

struct Option;
struct Result;
struct Some;
struct None;
struct Ok;
struct Err;
struct String;
struct Vec;
struct Box;
trait Input {}
trait Output {}

type Text = ::std::string::String;
type Maybe<T> = ::std::option::Option<T>;
type List<T> = ::std::vec::Vec<T>;

/// Read and written.
#[derive(::doyen::Input, ::doyen::Output)]
#[output(etag = value, computed(out: u8 = Self::compute))]
#[validate(custom = Self::whole, async = Self::later)]
struct Everything {
    #[validate(length(min = 1), pattern = "^a")]
    at: Text,
    #[validate(range(min = 1), custom = check)]
    value: u8,
    #[input(default = 7, example = 3)]
    fields: u32,
    #[validate(items(max = 3), unique_items, each(email))]
    #[input(default)]
    before: List<Text>,
    all: Maybe<Choice>,
    r#type: Maybe<Nested<Text>>,
}

impl Everything {
    fn compute(&self) -> u8 {
        self.value
    }

    fn whole(&self) -> ::std::result::Result<(), ::doyen::rule::Broken> {
        ::std::result::Result::Ok(())
    }

    async fn later(
        &self,
        _: &::doyen_core::inject::Context,
    ) -> ::std::result::Result<(), ::doyen::rule::Broken> {
        ::std::result::Result::Ok(())
    }
}

fn check(_: &u8) -> ::std::result::Result<(), ::doyen::rule::Broken> {
    ::std::result::Result::Ok(())
}

#[derive(::doyen::Input, ::doyen::Output)]
enum Choice {
    Some,
    None,
}

#[derive(::doyen::Input, ::doyen::Output)]
struct Nested<T> {
    value: T,
}

#[derive(::doyen::Input, ::doyen::Output)]
#[input(tag = "kind")]
#[output(tag = "kind")]
enum Tagged {
    One(Choices),
    Two { at: u8 },
    Three,
}

#[derive(::doyen::Input, ::doyen::Output)]
struct Choices {
    choice: Choice,
}

#[derive(::doyen::Input, ::doyen::Output)]
struct New(#[validate(length(max = 3))] Text);

#[derive(::doyen::Input)]
#[input(from_str)]
struct Parsed(u8);

impl ::std::str::FromStr for Parsed {
    type Err = ::std::num::ParseIntError;

    fn from_str(text: &str) -> ::std::result::Result<Self, ::std::num::ParseIntError> {
        ::std::result::Result::map(<u8 as ::std::str::FromStr>::from_str(text), Parsed)
    }
}

/// Converted in both directions.
struct Domain {
    at: Text,
    list: List<Maybe<u8>>,
    source: u8,
}

#[derive(::doyen::Output)]
#[output(from = Domain)]
struct FromDomain {
    at: Text,
    list: List<Maybe<u8>>,
    #[output(value = domain.source)]
    element: u8,
}

#[derive(::doyen::Input)]
#[input(into = Domain, set(source = 1))]
struct IntoDomain {
    at: Text,
    list: List<Maybe<u8>>,
}

#[derive(::doyen_core::Event)]
#[event(topic = "hygiene.checked")]
struct Checked {
    to: u8,
}
