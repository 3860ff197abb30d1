//! Chapters of FastAPI's tutorial, for the page `docs/guide/fastapi.md`.

pub mod body_parts;
pub mod dependencies;
pub mod document;
pub mod extra_types;
pub mod forms;
pub mod headers_cookies;
pub mod nested;
pub mod numeric;
pub mod query;
pub mod responses;
pub mod streams;
pub mod unions;
