//! Who attacks whom: two customers who do not know each other, and the demo data's agent and administrator where they are there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::ask::Ask;
use super::target::Target;
use super::wire::Reply;

/// The demo data's people and their password.
const DEMO: [(&str, &str); 3] = [
    ("customer@example.com", DEMO_PASSWORD),
    ("agent@example.com", DEMO_PASSWORD),
    ("admin@example.com", DEMO_PASSWORD),
];
const DEMO_PASSWORD: &str = "correct horse battery staple";

/// What our own customers' password is.
pub(super) const PASSWORD: &str = "nine lives of an orange cat";

/// Somebody who is logged in.
#[derive(Clone, Debug, Default)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) password: String,
    pub(super) token: String,
    /// Empty where the helpdesk gives none.
    pub(super) refresh: String,
}

/// Everybody who could be found.
#[derive(Clone, Debug, Default)]
pub(super) struct People {
    /// The victim.
    pub(super) ada: Option<Person>,
    /// The attacker: another customer.
    pub(super) ben: Option<Person>,
    /// A third customer, for what leaves them worse off.
    pub(super) owner: Option<Person>,
    pub(super) agent: Option<Person>,
    pub(super) admin: Option<Person>,
}

impl People {
    pub(super) fn gather(target: &Target) -> Self {
        let given = target.options.credentials.clone();
        let given = given.and_then(|(email, password)| Person::log_in(target, &email, &password));
        let [customer, agent, admin] = DEMO;
        let ada = given.or_else(|| Person::register(target, "ada"));
        let demo = |(email, password): (&str, &str)| Person::log_in(target, email, password);
        let mut ben = Person::register(target, "ben");
        if ben.is_none() && ada.is_some() {
            ben = demo(customer);
        }
        Self {
            ada,
            ben,
            owner: Person::register(target, "owner"),
            agent: demo(agent),
            admin: demo(admin),
        }
    }

    /// Both customers, or why there is nothing to attack.
    pub(super) fn both(&self) -> Result<(&Person, &Person), &'static str> {
        match (&self.ada, &self.ben) {
            (Some(ada), Some(ben)) => Ok((ada, ben)),
            _ => Err(
                "two customers are needed: registration is closed and `--user` is not given or does not log in",
            ),
        }
    }

    /// The victim, or why there is nothing to attack.
    pub(super) fn one(&self) -> Result<&Person, &'static str> {
        self.ada.as_ref().ok_or("nobody is logged in: registration is closed and `--user` is not given or does not log in")
    }
}

/// An address that nobody has.
pub(super) fn new_address(name: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_micros();
    format!(
        "attack-{name}-{now}-{}@example.com",
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

/// The request that logs in.
pub(super) fn login<'t>(target: &'t Target, email: &str, password: &str) -> Ask<'t> {
    target.post(
        "/v1/auth/login",
        &json!({"email": email, "password": password}),
    )
}

/// The request that makes an account.
pub(super) fn registration<'t>(target: &'t Target, email: &str) -> Ask<'t> {
    target.post(
        "/v1/auth/register",
        &json!({"email": email, "password": PASSWORD, "name": "Attack Test"}),
    )
}

impl Person {
    /// Somebody new, or nobody where one cannot register.
    pub(super) fn register(target: &Target, name: &str) -> Option<Self> {
        let email = new_address(name);
        let reply = registration(target, &email).send();
        reply
            .is_success()
            .then(|| Self::log_in(target, &email, PASSWORD))?
    }

    /// Somebody who has an account.
    pub(super) fn log_in(target: &Target, email: &str, password: &str) -> Option<Self> {
        let reply = login(target, email, password).send();
        let token = reply.at("/access_token");
        if token.is_empty() {
            return None;
        }
        let id = target.get("/v1/me").bearer(&token).send().at("/id");
        let refresh = reply.at("/refresh_token");
        Some(Self {
            id,
            email: email.into(),
            password: password.into(),
            token,
            refresh,
        })
    }

    pub(super) fn ask<'t>(&self, target: &'t Target, method: &str, path: &str) -> Ask<'t> {
        target.ask(method, path).bearer(&self.token)
    }

    pub(super) fn get(&self, target: &Target, path: &str) -> Reply {
        self.ask(target, "GET", path).send()
    }

    /// Opens a ticket and gives back the answer.
    pub(super) fn opens(&self, target: &Target, subject: &str) -> Reply {
        let ticket = json!({"subject": subject, "body": "It does not work."});
        self.ask(target, "POST", "/v1/tickets").json(&ticket).send()
    }
}
