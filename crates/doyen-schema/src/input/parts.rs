//! Support code of `#[derive(Input)]`, so that the generated code stays small. Not part of the
//! public API.

mod read;
mod schema;

pub use read::{Fields, choice, fewer, from_text, left_empty, no_variant, required, tagged};
pub use schema::{
    Probe, Unwritten, Variant, Written, any_of, define, described, described_field, fields_of,
    hidden, list, name_of, one_of, variant, words,
};
