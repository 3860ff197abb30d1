//! The helpdesk under attack: what it tells about itself, who is known there, and what it must
//! never do.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use toolkit::http::Response;
use toolkit::{Failure, Result};

use crate::Options;
use crate::accounts::Accounts;
use crate::request::Request;

/// What an error must not hold: words of the inside. In lower case.
const INSIDE: [&str; 20] = [
    "panicked",
    "stack backtrace",
    ".rs:",
    "src/",
    "/home/",
    "/root/",
    "/usr/",
    "sqlx",
    "sea_orm",
    "seaorm",
    "rusqlite",
    "sqlite",
    "postgres",
    "sqlstate",
    "select ",
    "insert into",
    "tokio",
    "hyper",
    "axum",
    "serde_json",
];

/// A running helpdesk.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// What the requests name as their host.
    pub(crate) host: String,
    /// Its contract, where it shows one.
    pub(crate) document: Option<Value>,
    /// Its public keys, where it shows them.
    pub(crate) keys: Option<Value>,
    pub(crate) accounts: Accounts,
    pub(crate) options: Options,
    /// Answers that must not be: 5xx, and words of the inside.
    faults: Mutex<Vec<String>>,
    /// How long this run may still wait for limits to pass.
    waits: Mutex<Duration>,
}

impl Target {
    /// Looks at the helpdesk at this address, makes or takes people, and logs them in.
    pub(crate) fn find(options: Options) -> Result<Self> {
        let host = authority(&options.base)?;
        let mut addresses = host.to_socket_addrs()?;
        let address = addresses
            .next()
            .ok_or_else(|| Failure::new(format!("{host} has no address")))?;
        let mut target = Self {
            address,
            host,
            document: None,
            keys: None,
            accounts: Accounts::default(),
            options,
            faults: Mutex::default(),
            waits: Mutex::new(Duration::from_secs(150)),
        };
        let alive = target.get("/livez").send();
        if alive.status != 200 {
            return Err(Failure::new(format!(
                "nothing lives at {}: GET /livez: {}",
                target.options.base,
                alive.summary()
            )));
        }
        let shown = |path: &str| {
            Some(target.get(path).send())
                .filter(Response::is_success)
                .map(|response| response.json())
        };
        let (document, keys) = (shown("/openapi.json"), shown("/.well-known/jwks.json"));
        (target.document, target.keys) = (document, keys);
        target.accounts = Accounts::gather(&target);
        target.take_faults();
        Ok(target)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> Request<'_> {
        Request::new(self, method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Request<'_> {
        self.request("GET", path)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Request<'_> {
        self.request("POST", path).json(body)
    }

    /// Whether its contract names this operation; where there is no contract, whether it is no 404.
    pub(crate) fn offers(&self, method: &str, path: &str) -> bool {
        match &self.document {
            Some(document) => !document["paths"][path][method.to_lowercase()].is_null(),
            None => !matches!(self.request(method, path).send().status, 404 | 405),
        }
    }

    /// Whether it still lives.
    pub(crate) fn is_alive(&self) -> bool {
        self.get("/livez").send().status == 200
    }

    /// Keeps what no attack may bring about.
    pub(crate) fn check_response(&self, what: &str, response: &Response, may_shed: bool) {
        let asked = what.to_lowercase();
        let what: String = what.chars().take(80).collect();
        if response.status >= 500 && !(response.status == 503 && may_shed) {
            self.fault(format!("{what} → {}", response.summary()));
        }
        if response.status >= 400 {
            let text = response.text().to_lowercase();
            if let Some(word) = INSIDE
                .iter()
                .find(|word| text.contains(**word) && !asked.contains(**word))
            {
                self.fault(format!(
                    "{what} tells of the inside (`{word}`) → {}",
                    response.summary()
                ));
            }
        }
    }

    fn fault(&self, fault: String) {
        self.faults
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(fault);
    }

    /// What was kept since this was last asked.
    pub(crate) fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is patience for this, which is then spent.
    pub(crate) fn may_wait(&self, time: Duration) -> bool {
        let mut left = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let time = time.max(Duration::from_millis(100));
        let may = *left >= time;
        *left = left.saturating_sub(time);
        may
    }
}

/// `127.0.0.1:8000` of `http://127.0.0.1:8000/`.
fn authority(base: &str) -> Result<String> {
    let Some(rest) = base.strip_prefix("http://") else {
        return Err(Failure::new(format!(
            "`{base}` is not `http://host:port`; this tool speaks no TLS: name the address behind the proxy"
        )));
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    Ok(if port {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    })
}

#[cfg(test)]
mod tests {
    use super::authority;

    #[test]
    fn a_base_address_names_host_and_port() {
        assert_eq!(
            authority("http://127.0.0.1:8000/").unwrap(),
            "127.0.0.1:8000"
        );
        assert_eq!(
            authority("http://helpdesk.test").unwrap(),
            "helpdesk.test:80"
        );
        assert!(authority("https://helpdesk.test").is_err());
        assert!(authority("127.0.0.1:8000").is_err());
    }
}
