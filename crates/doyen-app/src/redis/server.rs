//! What `redis.url` names: one server, or a primary that Sentinels know.

use std::sync::Arc;
use std::time::Duration;

use redis::io::tcp::TcpSettings;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{Client, IntoConnectionInfo as _, TlsMode};
use tokio::sync::Mutex;

/// Maximum time in which the Sentinels name the primary.
const ASK_TIMEOUT: Duration = Duration::from_secs(2);

/// What is wrong with a URL. The error of the library may contain the password.
const EXPECTED: &str = "it must be a URL such as `redis://user:password@host:6379/0`, `rediss://` for TLS, or \
     `redis+sentinel://user:password@host-1:26379,host-2:26379/service/0`";

/// Where Redis is.
#[derive(Clone)]
pub(super) enum Server {
    /// At one address.
    Fixed(Client),
    /// Where the Sentinels say.
    Sentinel(Arc<Mutex<SentinelClient>>),
}

impl Server {
    /// Reads a URL.
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        if scheme.contains("cluster") {
            return Err(format!(
                "`{scheme}://` is not supported. Use a `redis://` or `rediss://` URL of one address that follows the primary, such as that \
                 of a proxy, or Sentinel with `redis+sentinel://`"
            ));
        }
        if scheme.starts_with("rediss") {
            // An error means that the program has chosen another provider.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        }
        match scheme {
            "redis+sentinel" => sentinels(rest, false),
            "rediss+sentinel" => sentinels(rest, true),
            _ => fixed(url),
        }
        .ok_or_else(|| EXPECTED.to_owned())
    }

    /// Returns the server that accepts writes now.
    pub(super) async fn primary(&self) -> Result<Client, String> {
        let sentinels = match self {
            Self::Fixed(client) => return Ok(client.clone()),
            Self::Sentinel(sentinels) => sentinels,
        };
        let ask = async { sentinels.lock().await.async_get_client().await };
        match tokio::time::timeout(ASK_TIMEOUT, ask).await {
            Ok(Ok(client)) => Ok(client),
            Ok(Err(error)) => Err(format!("no Sentinel names a primary: {}", error.category())),
            Err(_) => Err("no Sentinel responds".to_owned()),
        }
    }
}

/// Without delay: otherwise a command that follows another waits for the acknowledgement of that.
fn tcp() -> TcpSettings {
    TcpSettings::default().set_nodelay(true)
}

fn fixed(url: &str) -> Option<Server> {
    let info = url.into_connection_info().ok()?.set_tcp_settings(tcp());
    Client::open(info).ok().map(Server::Fixed)
}

/// Reads `user:password@host:port,host:port/service/database`. User and password are those of the
/// servers; the Sentinels are asked without.
fn sentinels(rest: &str, tls: bool) -> Option<Server> {
    let (login, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (hosts, rest) = rest.split_once('/')?;
    let (service, database) = rest.split_once('/').unwrap_or((rest, "0"));
    if service.is_empty() {
        return None;
    }
    let scheme = if tls { "rediss" } else { "redis" };
    let mut addresses = Vec::new();
    for host in hosts.split(',').map(str::trim) {
        let port = if host.contains(':') { "" } else { ":26379" };
        let address = format!("{scheme}://{host}{port}").into_connection_info();
        addresses.push(address.ok()?.set_tcp_settings(tcp()));
    }
    // The address in it is not used.
    let node = format!("{scheme}://{login}@{service}/{database}").into_connection_info();
    let mut info = SentinelNodeConnectionInfo::default()
        .set_redis_connection_info(node.ok()?.redis_settings().clone())
        .set_tcp_settings(tcp());
    if tls {
        info = info.set_tls_mode(TlsMode::Secure);
    }
    let client =
        SentinelClient::build(addresses, service, Some(info), SentinelServerType::Master).ok()?;
    Some(Server::Sentinel(Arc::new(Mutex::new(client))))
}

#[cfg(test)]
mod tests {
    use super::{EXPECTED, Server};

    #[test]
    fn urls() {
        for url in [
            "redis://localhost",
            "redis+sentinel://localhost/main",
            "redis+sentinel://user:p%40ss@one:26379,two/main/2",
            "rediss+sentinel://:secret@one,two,three:26380/main",
        ] {
            assert!(Server::parse(url).is_ok(), "{url}");
        }
        for url in [
            "localhost:6379",
            "redis+sentinel://one,two",
            "redis+sentinel://one,two/",
            "redis+sentinel://one:port/main",
            "redis+sentinel://one/main/zero",
        ] {
            assert_eq!(Server::parse(url).err().as_deref(), Some(EXPECTED), "{url}");
        }
        let cluster = Server::parse("redis+cluster://:secret@one").err().unwrap();
        assert!(cluster.contains("not supported") && !cluster.contains("secret"));
    }
}
