//! What can go wrong, and the status that tells it.

use axum::{
    Json,
    extract::rejection::JsonRejection,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;

#[derive(Debug, thiserror::Error)]
pub enum Problem {
    #[error("there is no such row")]
    NotFound,
    #[error("there is no valid token")]
    Unauthorized,
    #[error(transparent)]
    Unreadable(#[from] JsonRejection),
    #[error("the body breaks rules: {0}")]
    Invalid(#[from] garde::Report),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Unauthorized => StatusCode::UNAUTHORIZED.into_response(),
            Self::Unreadable(rejection) => rejection.into_response(),
            Self::Invalid(report) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                Json(Violations::from(report)),
            )
                .into_response(),
            Self::Database(error) => {
                tracing::error!(%error, "the database failed");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// The answer to a body that breaks rules.
#[derive(Serialize)]
struct Violations {
    errors: Vec<Violation>,
}

#[derive(Serialize)]
struct Violation {
    field: String,
    message: String,
}

impl From<garde::Report> for Violations {
    fn from(report: garde::Report) -> Self {
        let errors = report.iter().map(|(path, error)| Violation {
            field: path.to_string(),
            message: error.to_string(),
        });
        Self {
            errors: errors.collect(),
        }
    }
}
