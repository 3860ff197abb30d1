//! Demo data for the first start.

use std::sync::Arc;

use doyen::data::Session;
use doyen::prelude::*;

use crate::accounts::domain::PasswordHasher;
use crate::{accounts, tickets};

/// Dependencies of [`seed`].
#[derive(Clone, Inject)]
pub(crate) struct Seeder {
    session: Session,
    passwords: Arc<dyn PasswordHasher>,
    clock: Arc<dyn Clock>,
}

/// Adds demo data to an empty database; does nothing if there are users.
pub(crate) async fn seed(with: Seeder) -> Result<String, Unexpected> {
    let Seeder {
        session,
        passwords,
        clock,
    } = with;
    if accounts::any(&session).await? {
        return Ok("the database already has users: no demo data was added".to_owned());
    }
    let now = clock.now();
    let people = accounts::seed(&session, &*passwords, now).await?;
    let (tickets, comments) = tickets::seed(&session, &people, now).await?;
    Ok(format!(
        "added {tickets} tickets and {comments} comments; log in as agent@example.com with the password `{}`",
        accounts::PASSWORD
    ))
}
