//! The six cases.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};

use crate::{
    bodies::{Echo, NewTicket, Valid},
    database::{Created, Database, Page, Ticket},
    problem::Problem,
};

pub fn without_database() -> Router {
    Router::new()
        .route("/json", get(json))
        .route("/echo", post(echo))
}

pub fn with_database(database: Database) -> Router {
    Router::new()
        .route("/rows/{id}", get(row))
        .route("/many/{start}", get(many))
        .route("/page", get(page))
        .route("/tickets", post(create))
        .with_state(database)
}

#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

#[derive(Deserialize)]
struct Before {
    before: i64,
}

async fn json() -> Json<Hello> {
    Json(Hello {
        message: "Hello, World!",
    })
}

async fn echo(Valid(echo): Valid<Echo>) -> Json<Echo> {
    Json(echo)
}

async fn row(
    State(database): State<Database>,
    Path(id): Path<i64>,
) -> Result<Json<Ticket>, Problem> {
    let ticket = database.ticket(id).await?;
    ticket.map(Json).ok_or(Problem::NotFound)
}

async fn many(
    State(database): State<Database>,
    Path(start): Path<u32>,
) -> Result<Json<Vec<Ticket>>, Problem> {
    Ok(Json(database.twenty(start).await?))
}

async fn page(
    State(database): State<Database>,
    Query(Before { before }): Query<Before>,
) -> Result<Json<Page>, Problem> {
    Ok(Json(database.page(before).await?))
}

async fn create(
    State(database): State<Database>,
    Valid(ticket): Valid<NewTicket>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    Ok((StatusCode::CREATED, Json(database.create(ticket).await?)))
}
