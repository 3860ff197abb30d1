//! Access tokens and the keys that sign them, as an attacker, a client and an operator meet them:
//! through HTTP, on both databases.
//!
//! | file | asks |
//! | --- | --- |
//! | `forged` | is a token refused for each rule it breaks (T1 to T10) |
//! | `swapped` | does a key check its own tokens only, whatever they call themselves (T3, A2) |
//! | `names` | what is a token's algorithm called, and does ES256 work (T17) |
//! | `places` | a token is read from the header only, and never disclosed (T13) |
//! | `published` | what does the key set hold, and may it be kept (T16) |
//! | `rotation` | do keys change without an outage, on every node (T16) |
//! | `trouble` | what if the table is away, the names are invented, the seed is another one |
//! | `seeds` | is a seed that a person made up refused (T11) |

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
