//! Chapters of FastAPI's tutorial, for the page `docs/guide/fastapi-chapters.md`.

pub mod additional_responses;
pub mod behind_proxy;
pub mod body;
pub mod body_parts;
pub mod dependencies;
pub mod document;
pub mod errors;
pub mod extra_types;
pub mod forms;
pub mod guards;
pub mod headers_cookies;
pub mod heroes;
pub mod metadata;
pub mod nested;
pub mod numeric;
pub mod oauth2;
pub mod parameter_models;
pub mod path_operation;
pub mod query;
pub mod request_directly;
pub mod response_model;
pub mod responses;
pub mod streams;
pub mod sub_dependencies;
pub mod unions;
pub mod updates;
