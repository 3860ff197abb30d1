//! Access tokens and their signing keys from the view of an attacker, a client and an operator:
//! through HTTP, on both databases.
//!
//! | file | tests |
//! | --- | --- |
//! | `forged` | invalid tokens, one table for each rule (T1 to T10) |
//! | `swapped` | a key verifies only its own tokens, whatever they name (T3, A2) |
//! | `names` | the name of the algorithm, and ES256 (T17) |
//! | `places` | a token is read from the header only, and never disclosed (T13) |
//! | `published` | the contents and the caching of the key set (T16) |
//! | `rotation` | keys change without an outage, on every node (T16) |
//! | `trouble` | the table is unavailable, names are invented, the seed is another one |
//! | `seeds` | a weak seed is refused (T11) |

#![allow(clippy::unwrap_used, missing_docs, reason = "a test")]

mod forged;
mod names;
mod places;
mod published;
mod rotation;
mod seeds;
mod support;
mod swapped;
mod trouble;
