//! poem with poem-openapi, as its book writes it: objects that describe themselves, and its own
//! validators.

mod objects;

use by_hand::{Database, Failure};
use poem::{Error, IntoEndpoint, Result, Server, http::StatusCode, listener::TcpListener};
use poem_openapi::{
    ApiResponse, OpenApi, OpenApiService,
    param::{Path, Query},
    payload::Json,
};

use objects::{Created, Echo, Hello, NewTicket, Page, Ticket};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    match Database::from_environment()? {
        Some(database) => {
            serve(OpenApiService::new(
                (Basics, Tickets { database }),
                "bench",
                "1",
            ))
            .await
        }
        None => serve(OpenApiService::new(Basics, "bench", "1")).await,
    }
}

async fn serve(app: impl IntoEndpoint<Endpoint: 'static>) -> Result<(), Failure> {
    Ok(Server::new(TcpListener::bind(settings::address()))
        .run(app)
        .await?)
}

struct Basics;

#[OpenApi]
impl Basics {
    #[oai(path = "/json", method = "get")]
    async fn json(&self) -> Json<Hello> {
        Json(Hello {
            message: "Hello, World!".to_owned(),
        })
    }

    #[oai(path = "/echo", method = "post")]
    async fn echo(&self, echo: Json<Echo>) -> Json<Echo> {
        echo
    }
}

struct Tickets {
    database: Database,
}

#[derive(ApiResponse)]
enum RowAnswer {
    #[oai(status = 200)]
    Ticket(Json<Ticket>),
    #[oai(status = 404)]
    NotFound,
}

#[derive(ApiResponse)]
enum CreateAnswer {
    #[oai(status = 201)]
    Created(Json<Created>),
}

#[OpenApi]
impl Tickets {
    #[oai(path = "/rows/:id", method = "get")]
    async fn row(&self, id: Path<i64>) -> Result<RowAnswer> {
        let ticket = self.database.ticket(id.0).await.map_err(failed)?;
        Ok(ticket.map_or(RowAnswer::NotFound, |ticket| {
            RowAnswer::Ticket(Json(ticket.into()))
        }))
    }

    #[oai(path = "/many/:start", method = "get")]
    async fn many(&self, start: Path<u32>) -> Result<Json<Vec<Ticket>>> {
        let tickets = self.database.twenty(start.0).await.map_err(failed)?;
        Ok(Json(tickets.into_iter().map(Ticket::from).collect()))
    }

    #[oai(path = "/page", method = "get")]
    async fn page(&self, before: Query<i64>) -> Result<Json<Page>> {
        let page = self.database.page(before.0).await.map_err(failed)?;
        Ok(Json(page.into()))
    }

    #[oai(path = "/tickets", method = "post")]
    async fn create(&self, ticket: Json<NewTicket>) -> Result<CreateAnswer> {
        let created = self
            .database
            .create(ticket.0.into())
            .await
            .map_err(failed)?;
        Ok(CreateAnswer::Created(Json(created.into())))
    }
}

fn failed(failure: Failure) -> Error {
    eprintln!("{failure}");
    Error::from_status(StatusCode::INTERNAL_SERVER_ERROR)
}
