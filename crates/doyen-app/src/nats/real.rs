//! The connection of a process to NATS.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use doyen_core::Secret;
use percent_encoding::percent_decode_str;
use tokio::sync::{OnceCell, watch};

/// Maximum time to connect, and to wait for a response.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Interval of the pings. A server that misses two is given up.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// Longest pause before an attempt to reconnect.
const MAX_RECONNECT_PAUSE: Duration = Duration::from_secs(1);

/// Messages that wait for a connection, or for a subscriber. Further publications wait, and further
/// messages for a subscriber are lost.
const MAX_WAITING: usize = 1024;

const EXPECTED: &str = "it must be a URL such as `nats://user:password@host:4222`, or `tls://` for TLS; \
     several are separated by commas";

/// The connection to NATS. Cloning shares it. Injectable as `Arc<Nats>` where `nats.url` is set.
#[derive(Clone)]
pub struct Nats(Arc<Inner>);

struct Inner {
    servers: Vec<ServerAddr>,
    login: Login,
    client: OnceCell<Client>,
    /// Counts how often messages may have been lost.
    losses: watch::Sender<u64>,
}

#[derive(Clone, PartialEq, Eq)]
enum Login {
    None,
    Token(Secret<String>),
    User(String, Secret<String>),
    Credentials(Secret<String>),
}

impl fmt::Debug for Nats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Nats").finish_non_exhaustive()
    }
}

impl Nats {
    /// Creates a connection that is opened on first use, with the text of a credentials file if
    /// there is one.
    ///
    /// # Errors
    ///
    /// Returns the setting that is wrong, and what is wrong with it.
    pub fn open(url: &str, credentials: Option<&str>) -> Result<Self, (&'static str, String)> {
        let servers = url.split(',').map(|url| server(url.trim()));
        let servers: Option<Vec<_>> = servers.collect();
        // The error of the library may contain the password.
        let servers = servers.ok_or_else(|| ("nats.url", EXPECTED.to_owned()))?;
        let of_url = login(&servers[0]);
        if servers.iter().any(|server| login(server) != of_url) {
            let message = "all servers must have the same user and password";
            return Err(("nats.url", message.to_owned()));
        }
        let login = match (credentials, of_url) {
            (None, login) => login,
            (Some(text), Login::None) => {
                // Read again at each connect.
                ConnectOptions::with_credentials(text).map_err(|_| {
                    let message = "it is not a credentials file of NATS, with a JWT and an NKey";
                    ("nats.credentials", message.to_owned())
                })?;
                Login::Credentials(Secret::new(text.to_owned()))
            }
            (Some(_), _) => {
                let message = "`nats.url` has a user already: remove one of both";
                return Err(("nats.credentials", message.to_owned()));
            }
        };
        Ok(Self(Arc::new(Inner {
            servers,
            login,
            client: OnceCell::new(),
            losses: watch::Sender::new(0),
        })))
    }

    /// Returns the client, and connects if it is the first call. From then on the client reconnects
    /// by itself. Requests have a timeout of 5 seconds.
    ///
    /// # Errors
    ///
    /// Returns the reason if no server accepts the connection within 5 seconds.
    pub async fn client(&self) -> Result<Client, String> {
        let client = self.0.client.get_or_try_init(|| self.connect());
        client.await.cloned()
    }

    async fn connect(&self) -> Result<Client, String> {
        let losses = self.0.losses.clone();
        let options = ConnectOptions::new()
            .connection_timeout(TIMEOUT)
            .request_timeout(Some(TIMEOUT))
            .ping_interval(PING_INTERVAL)
            .client_capacity(MAX_WAITING)
            .subscription_capacity(MAX_WAITING)
            .reconnect_delay_callback(pause)
            .event_callback(move |event| {
                if matches!(event, Event::Disconnected | Event::SlowConsumer(_)) {
                    losses.send_modify(|count| *count += 1);
                }
                std::future::ready(())
            });
        let options = match &self.0.login {
            Login::None => options,
            Login::Token(token) => options.token(token.expose().clone()),
            Login::User(user, password) => {
                options.user_and_password(user.clone(), password.expose().clone())
            }
            Login::Credentials(text) => {
                let read = options.credentials(text.expose());
                read.map_err(|error| error.to_string())?
            }
        };
        let connecting = options.connect(self.0.servers.clone());
        match tokio::time::timeout(TIMEOUT, connecting).await {
            Ok(connected) => connected.map_err(|error| doyen_core::chain(&error)),
            Err(_) => Err(format!("no connection within {TIMEOUT:?}")),
        }
    }

    /// Returns a count that changes when messages for a subscriber may have been lost: the
    /// connection was lost, or the subscriber was too slow.
    pub fn losses(&self) -> watch::Receiver<u64> {
        self.0.losses.subscribe()
    }

    /// Checks that a server is connected.
    ///
    /// # Errors
    ///
    /// Returns the reason if none is.
    pub async fn ping(&self) -> Result<(), String> {
        match self.client().await?.connection_state() {
            State::Connected => Ok(()),
            State::Pending | State::Disconnected => Err("no server is connected".to_owned()),
        }
    }
}

fn server(url: &str) -> Option<ServerAddr> {
    let is_plain = url.starts_with("nats://") || url.starts_with("tls://");
    let server: ServerAddr = url.parse().ok().filter(|_| is_plain)?;
    (!server.host().is_empty()).then_some(server)
}

/// Returns what the URL of a server says. The library does not read it.
fn login(server: &ServerAddr) -> Login {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    match (server.username(), server.password()) {
        (None, _) => Login::None,
        (Some(token), None) => Login::Token(Secret::new(decoded(token))),
        (Some(user), Some(password)) => Login::User(decoded(user), Secret::new(decoded(password))),
    }
}

fn pause(attempt: usize) -> Duration {
    let attempt = u32::try_from(attempt).unwrap_or(u32::MAX);
    let pause = Duration::from_millis(50).saturating_mul(attempt);
    pause.min(MAX_RECONNECT_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_servers_and_one_login() {
        for url in [
            "nats://a",
            "nats://a:4222",
            "tls://u:p%40@a:4222, tls://u:p%40@b",
            "nats://token@a",
        ] {
            assert!(Nats::open(url, None).is_ok(), "{url}");
        }
        let secret = "nats://u:hunter2@a b";
        for url in [
            "",
            "a:4222",
            "redis://a",
            "ws://a",
            "nats://",
            secret,
            "nats://u:p@a,nats://b",
        ] {
            let (key, message) = Nats::open(url, None).expect_err(url);
            assert_eq!(key, "nats.url", "{url}");
            assert!(!message.contains("hunter2"), "{message}");
        }
        let login = login(&"tls://u:p%40@a:4222".parse().unwrap());
        assert!(login == Login::User("u".to_owned(), Secret::new("p@".to_owned())));
    }

    #[test]
    fn credentials_are_checked_before_the_start() {
        for (url, text) in [("nats://a", "nonsense"), ("nats://u:p@a", "any")] {
            let (key, _) = Nats::open(url, Some(text)).expect_err(url);
            assert_eq!(key, "nats.credentials");
        }
    }
}
