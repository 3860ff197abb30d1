//! axum with nothing switched on.

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use by_hand::{Created, Database, Echo, Failure, NewTicket, Page, Ticket, Violations};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut app = Router::new()
        .route("/json", get(json))
        .route("/echo", post(echo));
    if let Some(database) = Database::from_environment()? {
        app = app.merge(with_database(database));
    }
    let listener = TcpListener::bind(settings::address())
        .await?
        .tap_io(|stream| _ = stream.set_nodelay(true));
    axum::serve(listener, app).await?;
    Ok(())
}

fn with_database(database: Database) -> Router {
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

async fn echo(Json(echo): Json<Echo>) -> Result<Json<Echo>, Problem> {
    echo.check()?;
    Ok(Json(echo))
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
    Json(ticket): Json<NewTicket>,
) -> Result<(StatusCode, Json<Created>), Problem> {
    ticket.check()?;
    Ok((StatusCode::CREATED, Json(database.create(ticket).await?)))
}

enum Problem {
    NotFound,
    Invalid(Violations),
    Failed(Failure),
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
            Self::Invalid(violations) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Json(violations)).into_response()
            }
            Self::Failed(failure) => {
                eprintln!("{failure}");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

impl From<Violations> for Problem {
    fn from(violations: Violations) -> Self {
        Self::Invalid(violations)
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}
