//! Who attacks whom: two customers who do not know each other, and the demo data's agent and
//! administrator where they are there.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use toolkit::http::Response;

use crate::request::Request;
use crate::target::Target;

/// The demo data's people and their password.
const DEMO: [(&str, &str); 3] = [
    ("customer@example.com", DEMO_PASSWORD),
    ("agent@example.com", DEMO_PASSWORD),
    ("admin@example.com", DEMO_PASSWORD),
];
const DEMO_PASSWORD: &str = "correct horse battery staple";

/// What our own customers' password is.
pub(crate) const PASSWORD: &str = "nine lives of an orange cat";

/// Somebody who is logged in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) token: String,
    /// Empty where the helpdesk gives none.
    pub(crate) refresh: String,
}

/// Everybody who could be found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    /// The victim.
    pub(crate) ada: Option<Account>,
    /// The attacker: another customer.
    pub(crate) ben: Option<Account>,
    /// A third customer, for what leaves them worse off.
    pub(crate) owner: Option<Account>,
    pub(crate) agent: Option<Account>,
    pub(crate) admin: Option<Account>,
}

impl Accounts {
    pub(crate) fn gather(target: &Target) -> Self {
        let given = target.options.credentials.clone();
        let given = given.and_then(|(email, password)| Account::log_in(target, &email, &password));
        let [customer, agent, admin] = DEMO;
        let ada = given.or_else(|| Account::register(target, "ada"));
        let demo = |(email, password): (&str, &str)| Account::log_in(target, email, password);
        let mut ben = Account::register(target, "ben");
        if ben.is_none() && ada.is_some() {
            ben = demo(customer);
        }
        Self {
            ada,
            ben,
            owner: Account::register(target, "owner"),
            agent: demo(agent),
            admin: demo(admin),
        }
    }

    /// Both customers, or why there is nothing to attack.
    pub(crate) fn both(&self) -> Result<(&Account, &Account), &'static str> {
        match (&self.ada, &self.ben) {
            (Some(ada), Some(ben)) => Ok((ada, ben)),
            _ => Err(
                "two customers are needed: registration is closed and `--user` is not given or does not log in",
            ),
        }
    }

    /// The victim, or why there is nothing to attack.
    pub(crate) fn one(&self) -> Result<&Account, &'static str> {
        self.ada.as_ref().ok_or("nobody is logged in: registration is closed and `--user` is not given or does not log in")
    }
}

/// An address that nobody has.
pub(crate) fn new_address(name: &str) -> String {
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
pub(crate) fn login<'t>(target: &'t Target, email: &str, password: &str) -> Request<'t> {
    target.post(
        "/v1/auth/login",
        &json!({"email": email, "password": password}),
    )
}

/// The request that makes an account.
pub(crate) fn registration<'t>(target: &'t Target, email: &str) -> Request<'t> {
    target.post(
        "/v1/auth/register",
        &json!({"email": email, "password": PASSWORD, "name": "Attack Test"}),
    )
}

impl Account {
    /// Somebody new, or nobody where one cannot register.
    pub(crate) fn register(target: &Target, name: &str) -> Option<Self> {
        let email = new_address(name);
        let response = registration(target, &email).send();
        response
            .is_success()
            .then(|| Self::log_in(target, &email, PASSWORD))?
    }

    /// Somebody who has an account.
    pub(crate) fn log_in(target: &Target, email: &str, password: &str) -> Option<Self> {
        let response = login(target, email, password).send();
        let token = response.at("/access_token");
        if token.is_empty() {
            return None;
        }
        let id = target.get("/v1/me").bearer(&token).send().at("/id");
        let refresh = response.at("/refresh_token");
        Some(Self {
            id,
            email: email.into(),
            password: password.into(),
            token,
            refresh,
        })
    }

    pub(crate) fn request<'t>(&self, target: &'t Target, method: &str, path: &str) -> Request<'t> {
        target.request(method, path).bearer(&self.token)
    }

    pub(crate) fn get(&self, target: &Target, path: &str) -> Response {
        self.request(target, "GET", path).send()
    }

    /// Opens a ticket and gives back the answer.
    pub(crate) fn create_ticket(&self, target: &Target, subject: &str) -> Response {
        let ticket = json!({"subject": subject, "body": "It does not work."});
        self.request(target, "POST", "/v1/tickets")
            .json(&ticket)
            .send()
    }
}
