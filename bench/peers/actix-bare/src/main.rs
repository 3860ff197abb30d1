//! actix-web with nothing switched on.

use std::fmt;

use actix_web::{
    App, HttpResponse, HttpServer, ResponseError, get,
    http::StatusCode,
    post,
    web::{Data, Json, Path, Query, ServiceConfig},
};
use by_hand::{Database, Echo, Failure, NewTicket, Page, Ticket, Violations};
use serde::{Deserialize, Serialize};

#[actix_web::main]
async fn main() -> Result<(), Failure> {
    let database = Database::from_environment()?.map(Data::new);
    let app = move || {
        App::new()
            .service(json)
            .service(echo)
            .configure(|config| with_database(config, database.as_ref()))
    };
    // Without its signal handlers SIGTERM ends the process at once, as it does the others.
    HttpServer::new(app)
        .bind(settings::address())?
        .tcp_nodelay(true)
        .disable_signals()
        .run()
        .await?;
    Ok(())
}

fn with_database(config: &mut ServiceConfig, database: Option<&Data<Database>>) {
    if let Some(database) = database {
        config
            .app_data(database.clone())
            .service(row)
            .service(many)
            .service(page)
            .service(create);
    }
}

#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

#[derive(Deserialize)]
struct Before {
    before: i64,
}

#[get("/json")]
async fn json() -> Json<Hello> {
    Json(Hello {
        message: "Hello, World!",
    })
}

#[post("/echo")]
async fn echo(echo: Json<Echo>) -> Result<Json<Echo>, Problem> {
    echo.check()?;
    Ok(echo)
}

#[get("/rows/{id}")]
async fn row(database: Data<Database>, id: Path<i64>) -> Result<Json<Ticket>, Problem> {
    let ticket = database.ticket(*id).await?;
    ticket.map(Json).ok_or(Problem::NotFound)
}

#[get("/many/{start}")]
async fn many(database: Data<Database>, start: Path<u32>) -> Result<Json<Vec<Ticket>>, Problem> {
    Ok(Json(database.twenty(*start).await?))
}

#[get("/page")]
async fn page(database: Data<Database>, query: Query<Before>) -> Result<Json<Page>, Problem> {
    Ok(Json(database.page(query.before).await?))
}

#[post("/tickets")]
async fn create(
    database: Data<Database>,
    ticket: Json<NewTicket>,
) -> Result<HttpResponse, Problem> {
    ticket.check()?;
    let created = database.create(ticket.into_inner()).await?;
    Ok(HttpResponse::Created().json(created))
}

#[derive(Debug)]
enum Problem {
    NotFound,
    Invalid(Violations),
    Failed(Failure),
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = HttpResponse::build(self.status_code());
        match self {
            Self::NotFound => answer.finish(),
            Self::Invalid(violations) => answer.json(violations),
            Self::Failed(failure) => {
                eprintln!("{failure}");
                answer.finish()
            }
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.status_code().fmt(to)
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
