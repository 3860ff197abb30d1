//! The helpdesk under attack: what it tells about itself, who is known there, and what it must never do.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value;

use super::Options;
use super::ask::Ask;
use super::people::People;
use super::wire::Reply;
use crate::failure::{Failure, Result};

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
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// What the requests name as their host.
    pub(super) host: String,
    /// Its contract, where it shows one.
    pub(super) document: Option<Value>,
    /// Its public keys, where it shows them.
    pub(super) keys: Option<Value>,
    pub(super) people: People,
    pub(super) options: Options,
    /// Answers that must not be: 5xx, and words of the inside.
    faults: Mutex<Vec<String>>,
    /// How long this run may still wait for limits to pass.
    waits: Mutex<Duration>,
}

impl Target {
    /// Looks at the helpdesk at this address, makes or takes people, and logs them in.
    pub(super) fn find(options: Options) -> Result<Self> {
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
            people: People::default(),
            options,
            faults: Mutex::default(),
            waits: Mutex::new(Duration::from_secs(150)),
        };
        let alive = target.get("/livez").send();
        if alive.status != 200 {
            return Err(Failure::new(format!(
                "nothing lives at {}: GET /livez: {}",
                target.options.base,
                alive.brief()
            )));
        }
        let shown = |path: &str| {
            Some(target.get(path).send())
                .filter(Reply::is_success)
                .map(|reply| reply.json())
        };
        let (document, keys) = (shown("/openapi.json"), shown("/.well-known/jwks.json"));
        (target.document, target.keys) = (document, keys);
        target.people = People::gather(&target);
        target.take_faults();
        Ok(target)
    }

    pub(super) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        Ask::new(self, method, path)
    }

    pub(super) fn get(&self, path: &str) -> Ask<'_> {
        self.ask("GET", path)
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Ask<'_> {
        self.ask("POST", path).json(body)
    }

    /// Whether its contract names this operation; where there is no contract, whether it is no 404.
    pub(super) fn offers(&self, method: &str, path: &str) -> bool {
        match &self.document {
            Some(document) => !document["paths"][path][method.to_lowercase()].is_null(),
            None => !matches!(self.ask(method, path).send().status, 404 | 405),
        }
    }

    /// Whether it still lives.
    pub(super) fn lives(&self) -> bool {
        self.get("/livez").send().status == 200
    }

    /// Keeps what no attack may bring about.
    pub(super) fn judge(&self, what: &str, reply: &Reply, may_shed: bool) {
        let asked = what.to_lowercase();
        let what: String = what.chars().take(80).collect();
        if reply.status >= 500 && !(reply.status == 503 && may_shed) {
            self.fault(format!("{what} → {}", reply.brief()));
        }
        if reply.status >= 400 {
            let text = reply.text().to_lowercase();
            if let Some(word) = INSIDE
                .iter()
                .find(|word| text.contains(**word) && !asked.contains(**word))
            {
                self.fault(format!(
                    "{what} tells of the inside (`{word}`) → {}",
                    reply.brief()
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
    pub(super) fn take_faults(&self) -> Vec<String> {
        std::mem::take(&mut *self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether there is patience for this, which is then spent.
    pub(super) fn may_wait(&self, time: Duration) -> bool {
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
