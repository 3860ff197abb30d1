//! The examples of the guide, one per file. The pages in `docs/guide` show these files, and
//! `tests/guide` tests them.
//!
//! A page shows a whole file below a comment with its path, `<!-- docs_src/src/query.rs -->`, or a
//! part of it below `<!-- part of docs_src/src/query.rs -->`. A test compares each block with its
//! file.

pub mod answers;
pub mod background;
pub mod body;
pub mod builder;
pub mod caching;
pub mod command;
pub mod conduit;
pub mod decimals;
pub mod envelope;
pub mod errors;
pub mod events;
pub mod extractor;
pub mod fastapi;
pub mod files;
pub mod first_steps;
pub mod from_axum;
pub mod headers;
pub mod idempotency;
pub mod identity;
pub mod injection;
pub mod jobs;
pub mod limits;
pub mod links;
pub mod live;
pub mod loading;
pub mod merge_patch;
pub mod middleware;
pub mod mounts;
pub mod outbound;
pub mod own_response;
pub mod own_types;
pub mod path_parameters;
pub mod policies;
pub mod providers;
pub mod query;
pub mod reads;
pub mod realworld;
pub mod rules;
pub mod schemes;
pub mod settings;
pub mod shop;
pub mod templates;
pub mod traces;
pub mod transactions;
pub mod uploads;
pub mod versions;
pub mod webhooks;
