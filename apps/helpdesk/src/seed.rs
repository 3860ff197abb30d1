//! Demo data, so that a first start has something to show.

use std::sync::Arc;

use doyen::data::Session;
use doyen::prelude::*;

use crate::accounts::domain::PasswordHasher;
use crate::{accounts, tickets};

/// What the demo data is made with.
#[derive(Clone, Inject)]
pub(crate) struct Seeder {
    session: Session,
    passwords: Arc<dyn PasswordHasher>,
    clock: Arc<dyn Clock>,
}

/// Fills an empty database; leaves any other as it is.
pub(crate) async fn seed(with: Seeder) -> Result<String, Unexpected> {
    let Seeder {
        session,
        passwords,
        clock,
    } = with;
    if accounts::any(&session).await? {
        return Ok("there are users already: nothing was added".to_owned());
    }
    let now = clock.now();
    let people = accounts::seed(&session, &*passwords, now).await?;
    let (tickets, comments) = tickets::seed(&session, &people, now).await?;
    Ok(format!(
        "added {tickets} tickets and {comments} comments; log in as agent@example.com with the password `{}`",
        accounts::PASSWORD
    ))
}
