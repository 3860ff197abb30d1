//! The contract of the helpdesk over time and under retries, on SQLite and on PostgreSQL.
//!
//! | file | tests |
//! | --- | --- |
//! | `crawl` | every link of every page and resource can be followed, by each role |
//! | `document` | the texts of the OpenAPI document |
//! | `idempotency` | keys of creating routes; processes killed under traffic with retries |
//! | `versions` | the older versions of the API, and changes that break clients |

mod crawl;
mod document;
mod idempotency;
mod support;
mod versions;
