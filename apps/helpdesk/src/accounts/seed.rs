//! Demo accounts: one for each role to log in with, and further agents and customers.

use doyen::data::Session;
use doyen::data::sea_orm::EntityTrait;
use doyen::prelude::*;

use super::domain::{Account, Email, PasswordHasher};
use super::infrastructure::{account, rows};
use crate::access::{Role, UserId};

/// The password of all demo accounts.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

const PEOPLE: [(&str, &str, Role); 25] = [
    ("admin", "Alex Admin", Role::Admin),
    ("agent", "Agnes Agent", Role::Agent),
    ("customer", "Carl Customer", Role::Customer),
    ("ada.lovelace", "Ada Lovelace", Role::Agent),
    ("alan.turing", "Alan Turing", Role::Agent),
    ("grace.hopper", "Grace Hopper", Role::Agent),
    ("edsger.dijkstra", "Edsger Dijkstra", Role::Agent),
    ("barbara.liskov", "Barbara Liskov", Role::Agent),
    ("bozena.nemcova", "Božena Němcová", Role::Customer),
    ("chen.wei", "陈伟", Role::Customer),
    ("fatima.al-fihri", "Fatima al-Fihri", Role::Customer),
    ("george.boole", "George Boole", Role::Customer),
    ("hedy.lamarr", "Hedy Lamarr", Role::Customer),
    ("ibn.al-haytham", "Ibn al-Haytham", Role::Customer),
    ("joan.clarke", "Joan Clarke", Role::Customer),
    ("katherine.johnson", "Katherine Johnson", Role::Customer),
    ("lise.meitner", "Lise Meitner", Role::Customer),
    ("mary.oneil", "Mary O’Neil", Role::Customer),
    ("niklaus.wirth", "Niklaus Wirth", Role::Customer),
    ("omar.khayyam", "Omar Khayyam", Role::Customer),
    ("paul.erdos", "Paul Erdős", Role::Customer),
    ("radia.perlman", "Radia Perlman", Role::Customer),
    ("srinivasa.ramanujan", "Srinivasa Ramanujan", Role::Customer),
    ("tim.berners-lee", "Tim Berners-Lee", Role::Customer),
    ("ursula.franklin", "Ursula Franklin", Role::Customer),
];

/// The demo accounts, grouped by role.
pub(crate) struct People {
    /// Accounts that open tickets.
    pub(crate) customers: Vec<(UserId, String)>,
    /// Accounts that answer tickets.
    pub(crate) agents: Vec<(UserId, String)>,
}

/// Returns true if an account exists.
pub(crate) async fn any(session: &Session) -> Result<bool, Unexpected> {
    Ok(account::Entity::find()
        .one(&session.autocommit())
        .await?
        .is_some())
}

/// Inserts the demo accounts.
pub(crate) async fn seed(
    session: &Session,
    passwords: &dyn PasswordHasher,
    now: Timestamp,
) -> Result<People, Unexpected> {
    // Hash once: hashing is slow, and the password is public.
    let hash = passwords.hash(PASSWORD.to_owned().into()).await?;
    let came = now - 91 * DAY;
    let mut people = People {
        customers: Vec::new(),
        agents: Vec::new(),
    };
    let mut new = Vec::with_capacity(PEOPLE.len());
    for (mailbox, name, role) in PEOPLE {
        let email: Email = format!("{mailbox}@example.com").parse()?;
        let account = Account::new(email, name.to_owned(), role, came);
        let group = if role == Role::Customer {
            &mut people.customers
        } else {
            &mut people.agents
        };
        group.push((account.id, account.name.clone()));
        new.push(rows::new(&account, &hash));
    }
    account::Entity::insert_many(new)
        .exec_without_returning(session)
        .await?;
    Ok(people)
}
