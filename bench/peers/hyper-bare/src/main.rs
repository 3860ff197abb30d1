//! hyper and nothing above it: the floor for what HTTP/1 costs here.

mod answer;

use std::{convert::Infallible, str::FromStr};

use by_hand::{Database, Echo, Failure, NewTicket};
use http_body_util::{BodyExt, Limited};
use hyper::{
    Method, Request, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::{TcpListener, TcpStream};

use answer::{Answer, Problem, json};

/// As much of a body as axum takes by default.
const LONGEST_BODY: usize = 2 * 1024 * 1024;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    // It lives as long as the process: leaked, it needs no counter per request.
    let database: &'static _ = Box::leak(Box::new(Database::from_environment()?));
    let listener = TcpListener::bind(settings::address()).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(serve(stream, database));
    }
}

async fn serve(stream: TcpStream, database: &'static Option<Database>) {
    let service = service_fn(async |request| {
        Ok::<_, Infallible>(
            route(request, database.as_ref())
                .await
                .unwrap_or_else(Problem::answer),
        )
    });
    // An error here is a client that disconnected, or that does not use HTTP.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

#[derive(Serialize)]
struct Hello {
    message: &'static str,
}

async fn route(request: Request<Incoming>, database: Option<&Database>) -> Result<Answer, Problem> {
    let path = request.uri().path();
    match (request.method(), path) {
        (&Method::GET, "/json") => Ok(json(
            StatusCode::OK,
            &Hello {
                message: "Hello, World!",
            },
        )),
        (&Method::POST, "/echo") => {
            let echo: Echo = body(request).await?;
            echo.check()?;
            Ok(json(StatusCode::OK, &echo))
        }
        (&Method::GET, "/page") => {
            let page = some(database)?.page(before(request.uri().query())?).await?;
            Ok(json(StatusCode::OK, &page))
        }
        (&Method::POST, "/tickets") => {
            let ticket: NewTicket = body(request).await?;
            ticket.check()?;
            let created = some(database)?.create(ticket).await?;
            Ok(json(StatusCode::CREATED, &created))
        }
        (&Method::GET, _) => {
            if let Some(id) = path.strip_prefix("/rows/") {
                let ticket = some(database)?.ticket(number(id)?).await?;
                Ok(json(StatusCode::OK, &ticket.ok_or(Problem::NotFound)?))
            } else if let Some(start) = path.strip_prefix("/many/") {
                let tickets = some(database)?.twenty(number(start)?).await?;
                Ok(json(StatusCode::OK, &tickets))
            } else {
                Err(Problem::NotFound)
            }
        }
        _ => Err(Problem::NotFound),
    }
}

fn some(database: Option<&Database>) -> Result<&Database, Problem> {
    database.ok_or(Problem::NotFound)
}

async fn body<T: DeserializeOwned>(request: Request<Incoming>) -> Result<T, Problem> {
    let body = Limited::new(request.into_body(), LONGEST_BODY);
    let bytes = body
        .collect()
        .await
        .map_err(|_| Problem::Malformed)?
        .to_bytes();
    serde_json::from_slice(&bytes).map_err(|error| {
        if error.is_data() {
            Problem::Misshapen
        } else {
            Problem::Malformed
        }
    })
}

/// The number in `before=..`, anywhere in the query.
fn before(query: Option<&str>) -> Result<i64, Problem> {
    let mut pairs = query.unwrap_or_default().split('&');
    number(
        pairs
            .find_map(|pair| pair.strip_prefix("before="))
            .unwrap_or_default(),
    )
}

fn number<N: FromStr>(text: &str) -> Result<N, Problem> {
    text.parse().map_err(|_| Problem::Malformed)
}
