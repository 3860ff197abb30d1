//! The accounts of the suite: two unrelated customers, and the agent and the administrator of the
//! demo data if they exist.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use toolkit::http::Response;

use crate::request::Request;
use crate::target::Target;

/// Email address and password of the users of the demo data.
const DEMO: [(&str, &str); 3] = [
    ("customer@example.com", DEMO_PASSWORD),
    ("agent@example.com", DEMO_PASSWORD),
    ("admin@example.com", DEMO_PASSWORD),
];
const DEMO_PASSWORD: &str = "correct horse battery staple";

/// Password of the customers that the suite registers.
pub(crate) const PASSWORD: &str = "nine lives of an orange cat";

/// A logged-in user.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) token: String,
    /// Refresh token, or empty if the helpdesk issues none.
    pub(crate) refresh: String,
}

/// The available accounts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Accounts {
    /// The victim.
    pub(crate) ada: Option<Account>,
    /// The attacker: another customer.
    pub(crate) ben: Option<Account>,
    /// A third customer, for attacks that change the account.
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

    /// Returns both customers, or the reason why the attack does not apply.
    pub(crate) fn both(&self) -> Result<(&Account, &Account), &'static str> {
        match (&self.ada, &self.ben) {
            (Some(ada), Some(ben)) => Ok((ada, ben)),
            _ => Err(
                "two customers are needed: registration is closed and `--user` is not given or does not log in",
            ),
        }
    }

    /// Returns the victim, or the reason why the attack does not apply.
    pub(crate) fn one(&self) -> Result<&Account, &'static str> {
        self.ada.as_ref().ok_or("no user is logged in: registration is closed and `--user` is not given or does not log in")
    }
}

/// Returns an unused email address.
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

/// Returns the request that logs in.
pub(crate) fn login<'t>(target: &'t Target, email: &str, password: &str) -> Request<'t> {
    target.post(
        "/v1/auth/login",
        &json!({"email": email, "password": password}),
    )
}

/// Returns the request that registers an account.
pub(crate) fn registration<'t>(target: &'t Target, email: &str) -> Request<'t> {
    target.post(
        "/v1/auth/register",
        &json!({"email": email, "password": PASSWORD, "name": "Attack Test"}),
    )
}

impl Account {
    /// Registers and logs in a customer. Returns `None` if registration is closed.
    pub(crate) fn register(target: &Target, name: &str) -> Option<Self> {
        let email = new_address(name);
        let response = registration(target, &email).send();
        response
            .is_success()
            .then(|| Self::log_in(target, &email, PASSWORD))?
    }

    /// Logs in. Returns `None` if the login fails.
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

    /// Creates a ticket.
    pub(crate) fn create_ticket(&self, target: &Target, subject: &str) -> Response {
        let ticket = json!({"subject": subject, "body": "It does not work."});
        self.request(target, "POST", "/v1/tickets")
            .json(&ticket)
            .send()
    }
}
