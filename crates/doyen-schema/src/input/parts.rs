//! Support code of `#[derive(Input)]`, so that the generated code stays small. Not part of the
//! public API.

mod read;
mod schema;

pub use read::{Fields, choice, from_text, left_empty, required, tagged};
pub use schema::{
    Probe, Unwritten, Variant, Written, define, described, described_field, fields_of, list,
    name_of, one_of, variant, words,
};
