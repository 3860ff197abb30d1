//! The derive works without the prelude and in a module with types of common names.

#![no_implicit_prelude]
#![allow(missing_docs, dead_code, reason = "a test")]

extern crate doyen_settings as doyen;

struct Result;
struct Option;
struct String;
struct Vec;
struct Some;
struct None;
struct Ok;
struct Err;

/// Settings.
#[derive(::doyen::Settings)]
struct Settings {
    /// A number.
    #[setting(default = 3, min = 1)]
    number: u8,
    /// A word.
    #[setting(default = "low")]
    level: Level,
    #[setting(section)]
    inner: Inner,
}

/// Inner settings.
#[derive(::doyen::Settings)]
struct Inner {
    /// Perhaps.
    note: ::std::option::Option<u8>,
    // Names the derive uses itself.
    reader: ::std::option::Option<u8>,
    keys: ::std::option::Option<u8>,
    value_0: ::std::option::Option<u8>,
}

#[derive(::doyen::Settings)]
enum Level {
    Low,
    High,
}

#[::core::prelude::v1::test]
fn it_compiles() {
    ::std::assert_eq!(<Settings as ::doyen::Settings>::keys().len(), 6);
}
