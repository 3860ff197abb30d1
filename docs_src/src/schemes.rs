//! Security schemes: access tokens after another prefix, Basic, and an API key in the query.

use std::sync::Arc;

use doyen::auth::{Bearer, CheckToken};
use doyen::domain::SecurityScheme;
use doyen::prelude::*;
use doyen::web::extract::{Basic, Scheme};

/// `Authorization: Token <jwt>`, as old clients send access tokens.
struct Token;

impl Scheme for Token {
    type Credential = Secret<String>;
    fn scheme() -> SecurityScheme {
        SecurityScheme::authorization("Token").description("An access token of an old client.")
    }
}

async fn by_token(
    bearer: Arc<Bearer>,
    Credentials(token): Credentials<Token>,
) -> Result<Arc<Caller>, CheckToken> {
    bearer.caller(token.expose()).await
}

/// The robots of the warehouse.
pub struct Robots {
    /// Key of each robot.
    pub keys: Vec<String>,
}

/// `?api_key=..`, for robots that cannot send headers.
struct RobotKey;

impl Scheme for RobotKey {
    type Credential = Secret<String>;
    fn scheme() -> SecurityScheme {
        SecurityScheme::query("api_key")
    }
}

async fn by_key(
    robots: Arc<Robots>,
    Credentials(key): Credentials<RobotKey>,
) -> Result<Option<Caller>, Unexpected> {
    let place = robots.keys.iter().position(|known| known == key.expose());
    Ok(place.map(|number| Caller::new(&format!("robot-{number}"))))
}

/// The caller.
#[derive(Output)]
struct Me {
    name: String,
}

/// Get the caller, however it was identified
#[get("/me", allow = signed_in, limit = per_user(3, MINUTE))]
async fn me(caller: Caller) -> Json<Me> {
    let name = caller.subject.to_string();
    Json(Me { name })
}

/// Check a name and a password in the handler
#[get("/mirror", allow = anyone)]
async fn mirror(Credentials(basic): Credentials<Basic>) -> Json<Me> {
    Json(Me { name: basic.name })
}

/// Builds the application.
pub fn app() -> App {
    let robots = Robots {
        keys: vec!["r2d2-r2d2".to_owned()],
    };
    let module = Module::new("warehouse").routes(routes![me, mirror]);
    App::new("warehouse")
        .identify(by_token)
        .identify(by_key)
        .module(module.provide(Arc::new(robots)))
}
