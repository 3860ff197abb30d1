//! The helpdesk under attack: its address, its document, its accounts, and the responses that no
//! attack may cause.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;
use toolkit::http::Response;
use toolkit::{Failure, Result};

use crate::Options;
use crate::accounts::Accounts;
use crate::request::Request;

/// Words in lower case that an error must not contain, because they reveal internals.
const INTERNALS: [&str; 20] = [
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
    /// Value of the header `Host`.
    pub(crate) host: String,
    /// OpenAPI document, if it is served.
    pub(crate) document: Option<Value>,
    /// Public keys, if they are served.
    pub(crate) keys: Option<Value>,
    pub(crate) accounts: Accounts,
    pub(crate) options: Options,
    /// Forbidden responses so far: 5xx, and internals in an error.
    faults: Mutex<Vec<String>>,
    /// Remaining time that this run may wait for rate limits.
    waits: Mutex<Duration>,
}

impl Target {
    /// Reads the documents of the helpdesk, and registers or logs in the accounts.
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
        let live = target.get("/livez").send();
        if live.status != 200 {
            return Err(Failure::new(format!(
                "nothing lives at {}: GET /livez: {}",
                target.options.base,
                live.summary()
            )));
        }
        let fetch = |path: &str| {
            Some(target.get(path).send())
                .filter(Response::is_success)
                .map(|response| response.json())
        };
        let (document, keys) = (fetch("/openapi.json"), fetch("/.well-known/jwks.json"));
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

    /// Returns true if the document has this operation or, without a document, if it is not a 404.
    pub(crate) fn offers(&self, method: &str, path: &str) -> bool {
        match &self.document {
            Some(document) => !document["paths"][path][method.to_lowercase()].is_null(),
            None => !matches!(self.request(method, path).send().status, 404 | 405),
        }
    }

    /// Returns true if `/livez` responds with 200.
    pub(crate) fn is_alive(&self) -> bool {
        self.get("/livez").send().status == 200
    }

    /// Records a response that no attack may cause.
    pub(crate) fn check_response(&self, what: &str, response: &Response, may_shed: bool) {
        let request = what.to_lowercase();
        let what: String = what.chars().take(80).collect();
        if response.status >= 500 && !(response.status == 503 && may_shed) {
            self.fault(format!("{what} → {}", response.summary()));
        }
        if response.status >= 400 {
            let text = response.text().to_lowercase();
            if let Some(word) = INTERNALS
                .iter()
                .find(|word| text.contains(**word) && !request.contains(**word))
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

    /// Returns and clears the forbidden responses.
    pub(crate) fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns true if the remaining time permits this wait, and subtracts it.
    pub(crate) fn may_wait(&self, time: Duration) -> bool {
        let mut left = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let time = time.max(Duration::from_millis(100));
        let may = *left >= time;
        *left = left.saturating_sub(time);
        may
    }
}

/// Returns `127.0.0.1:8000` for `http://127.0.0.1:8000/`.
fn authority(base: &str) -> Result<String> {
    let Some(rest) = base.strip_prefix("http://") else {
        return Err(Failure::new(format!(
            "`{base}` is not `http://host:port`; this tool has no TLS: name the address behind the proxy"
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
