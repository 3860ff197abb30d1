//! Uploads and downloads as clients see them, on SQLite and on PostgreSQL, with a real `clamd`.
//!
//! | file | tests |
//! | --- | --- |
//! | `forms` | multipart forms: fields, several files, limits, damaged forms |
//! | `corpus` | forms from the bug reports of other frameworks |
//! | `bodies` | raw bodies; clients that are slow, lie or go away |
//! | `kinds` | declared types, content and names |
//! | `scanned` | clamd: before and later, away, paused, over its limits |
//! | `downloads` | ranges, conditions, headers, signed links |
//! | `stores` | the suite of the port of stores; a folder that is full or read-only |
//! | `s3` | the same suite on a real S3 server, and files in a bucket |
//! | `resumable` | resumable uploads: the protocol, limits, cuts, kills |
//! | `versions` | the version of the protocol on every response, CORS |
//! | `repeated` | uploads with an idempotency key |
//! | `agreed` | row, object and event agree, also after a kill |
//! | `started` | settings that are refused, and the OpenAPI document |

mod agreed;
mod bodies;
mod corpus;
mod downloads;
mod forms;
mod kinds;
mod kit;
mod process;
mod repeated;
mod resumable;
mod s3;
mod scanned;
mod started;
mod stores;
mod versions;
