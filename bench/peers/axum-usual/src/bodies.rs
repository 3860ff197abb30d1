//! The bodies that clients send, their rules, and the extractor that keeps them.

use axum::{
    Json,
    extract::{FromRequest, Request},
};
use garde::Validate;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::problem::Problem;

#[derive(Deserialize, Serialize, Validate)]
pub struct Echo {
    #[garde(length(chars, min = 1, max = 200))]
    pub subject: String,
    #[garde(length(chars, min = 1, max = 5000))]
    pub body: String,
    #[garde(range(min = 1, max = 4))]
    pub priority: i32,
    #[garde(email)]
    pub email: String,
    #[garde(length(max = 10), inner(length(chars, min = 1, max = 30)))]
    pub tags: Vec<String>,
}

#[derive(Deserialize, Validate)]
pub struct NewTicket {
    #[garde(length(chars, min = 1, max = 200))]
    pub subject: String,
    #[garde(length(chars, min = 1, max = 5000))]
    pub body: String,
    #[garde(range(min = 1, max = 4))]
    pub priority: i32,
}

/// A JSON body that keeps its rules.
pub struct Valid<T>(pub T);

impl<S, T> FromRequest<S> for Valid<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::<T>::from_request(request, state).await?;
        body.validate()?;
        Ok(Self(body))
    }
}
