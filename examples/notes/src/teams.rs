//! Teams. Each has a key, which its clients send in the header `X-API-Key`.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen::Command;
use doyen::data::sea_orm::prelude::Uuid;
use doyen::data::{Row, Violation as _};
use doyen::domain::SecurityScheme;
use doyen::domain::id::Named;
use doyen::prelude::*;
use doyen::web::extract::Scheme;

/// The team of a request. A handler that takes it as a parameter works for this team only.
#[derive(Clone, Copy, Debug)]
pub struct Team {
    /// Its id.
    pub id: Id<Team>,
}

impl Named for Team {
    const PREFIX: &'static str = "tea";
}

/// The caller is not a team. Send the key of a team.
#[derive(Debug, Problem)]
#[problem(forbidden)]
pub struct NotATeam;

#[provider]
async fn team(caller: Caller) -> Result<Team, NotATeam> {
    let id = caller.subject.parse().map_err(|_| NotATeam)?;
    Ok(Team { id })
}

/// The header with the key of a team.
pub struct TeamKey;

impl Scheme for TeamKey {
    type Credential = Secret<String>;

    fn scheme() -> SecurityScheme {
        SecurityScheme::header("X-API-Key").description("The key of a team.")
    }
}

#[derive(Row)]
struct Known {
    id: Uuid,
}

/// Identifies the team that a key belongs to.
pub async fn by_key(
    session: Session,
    Credentials(key): Credentials<TeamKey>,
) -> Result<Option<Caller>, Unexpected> {
    let sql = "SELECT id FROM teams WHERE key_hash = $1";
    let hash = hash(key.expose());
    let known: Option<Known> = session.query_one_as(sql, [hash.into()]).await?;
    let subject = known.map(|team| Id::<Team>::from(team.id).to_string());
    Ok(subject.map(|subject| Caller::new(&subject)))
}

/// `notes teams add NAME`: creates a team and prints its key, which is not stored.
pub fn add() -> Command {
    Command::new(
        "teams add",
        "Adds a team and prints its key",
        &["name"],
        async |session: Session, arguments: Vec<String>| {
            let mut random = [0; 32];
            getrandom::fill(&mut random)?;
            let key = format!("key_{}", URL_SAFE_NO_PAD.encode(random));
            let sql = "INSERT INTO teams (id, name, key_hash) VALUES ($1, $2, $3)";
            let values = [
                Id::<Team>::new().uuid().into(),
                arguments.concat().into(),
                hash(&key).into(),
            ];
            match session.execute_sql(sql, values).await {
                Ok(_) => Ok(key),
                Err(error) if error.is_unique("teams.name") => {
                    Err(Unexpected::new("there is a team of this name"))
                }
                Err(error) => Err(error.into()),
            }
        },
    )
}

fn hash(key: &str) -> Vec<u8> {
    digest(&SHA256, key.as_bytes()).as_ref().to_vec()
}
