//! The command `helpdesk user create`, which creates the first administrator of an installation.

use std::io::BufRead as _;

use doyen::Command;
use doyen::prelude::*;
use doyen::schema::rule::DisplayName;

use super::domain::{Accounts, Email, Register};
use crate::access::Role;

/// Returns the command that creates an account with any role.
pub(crate) fn create_user() -> Command {
    let about = "Creates an account; the password is read from the first line of standard input";
    Command::new::<Accounts, _, _>("user create", about, &["email", "name", "role"], create)
}

async fn create(accounts: Accounts, arguments: Vec<String>) -> Result<String, Unexpected> {
    let Ok([email, name, role]) = <[String; 3]>::try_from(arguments) else {
        return Err(Unexpected::new(
            "usage: `user create <email> <name> <role>`",
        ));
    };
    let email: Email = email.parse()?;
    if name.is_empty() || !DisplayName.matches(&name) {
        return Err(Unexpected::new(
            "the name must have a visible character, and no control characters or overrides of the text direction",
        ));
    }
    let role = Role::named(&role)
        .ok_or_else(|| Unexpected::new("the role must be `customer`, `agent` or `admin`"))?;
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']).to_owned();
    match accounts.create(email, name, role, password.into()).await {
        Ok(account) => Ok(format!(
            "created {} with the id {} and the role {}",
            account.email,
            account.id,
            account.role.name()
        )),
        Err(Register::Unexpected(error)) => Err(error),
        Err(error) => Err(error.into()),
    }
}
