//! The settings that the checks need, and settings that are legal and unwise.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::Path;

use super::Finding;
use crate::failure::{Failure, Result};
use crate::project::read;

/// Values of the files and the environment variables.
pub(super) struct Settings {
    environment: String,
    /// The later table overrides the earlier one.
    files: Vec<toml::Table>,
}

impl Settings {
    pub(super) fn read(root: &Path) -> Result<Self> {
        let environment = std::env::var("APP_ENV").unwrap_or_else(|_| "dev".to_owned());
        let mut files = Vec::new();
        for name in ["base", &environment] {
            let path = root.join("config").join(format!("{name}.toml"));
            if path.is_file() {
                let table = read(&path)?.parse().map_err(|error| {
                    Failure::new(format!("{} cannot be parsed: {error}", path.display()))
                })?;
                files.push(table);
            }
        }
        Ok(Self { environment, files })
    }

    fn is_prod(&self) -> bool {
        self.environment == "prod"
    }

    /// Returns a value as text: that of the environment variable, else that of the files.
    pub(super) fn get(&self, key: &str) -> Option<String> {
        let variable = format!("APP_{}", key.to_uppercase().replace('.', "__"));
        if let Ok(value) = std::env::var(&variable) {
            return Some(value.trim_end().to_owned());
        }
        // A secret in a file: its value is not needed here.
        if std::env::var_os(format!("{variable}_FILE")).is_some() {
            return Some(String::new());
        }
        self.files.iter().rev().find_map(|table| {
            let mut parts = key.split('.');
            let first = table.get(parts.next()?)?;
            let value = parts.try_fold(first, |value, part| value.get(part))?;
            Some(match value {
                toml::Value::String(text) => text.clone(),
                toml::Value::Integer(number) => number.to_string(),
                toml::Value::Boolean(is) => is.to_string(),
                // Only its presence matters.
                _ => String::new(),
            })
        })
    }

    /// The ports of the service, of which a process may have one.
    pub(super) fn ports(&self) -> Vec<Finding> {
        let listeners = [
            ("server.bind", "127.0.0.1:8000"),
            ("admin.bind", "127.0.0.1:9000"),
        ];
        listeners
            .into_iter()
            .map(|(key, default)| port(key, &self.get(key).unwrap_or_else(|| default.to_owned())))
            .collect()
    }

    /// Settings that are legal and unwise, each with the reason.
    pub(super) fn unwise(&self) -> Vec<Finding> {
        let is = |key: &str, value: &str| self.get(key).as_deref() == Some(value);
        let is_open = self
            .get("admin.bind")
            .is_some_and(|bind| !bind.starts_with("127.") && !bind.starts_with("[::1]"));
        let always = [
            (
                is_open,
                "`admin.bind` is reachable from other machines, and needs no credentials",
                "bind it to 127.0.0.1, or to a network that only operators reach",
            ),
            (
                is("auth.long_access_tokens", "true"),
                "`auth.long_access_tokens`: a stolen access token stays valid for long",
                "use refresh tokens, with a short `auth.access_lifetime`",
            ),
        ];
        let in_prod = [
            (
                is("docs.enabled", "true"),
                "`docs.enabled`: anyone can read the contract of the API",
                "leave it out if the API is not public",
            ),
            (
                is("database.synchronous", "normal"),
                "`database.synchronous = normal`: a power failure can lose the last commits",
                "leave it out, or accept the loss",
            ),
            (
                is("auth.email.verify", "false"),
                "`auth.email.verify = false`: users can register the addresses of others",
                "leave it out, and configure mail",
            ),
            (
                self.get("server.hosts").is_none(),
                "`server.hosts` is empty: requests for any host are served",
                "list the names of the service, such as `hosts = [\"api.example.com\"]`",
            ),
        ];
        let in_prod = in_prod.into_iter().filter(|_| self.is_prod());
        let unwise = always.into_iter().chain(in_prod).filter(|(is, ..)| *is);
        let mut found: Vec<Finding> = unwise
            .map(|(_, text, help)| Finding::warning("settings", text, help))
            .collect();
        if self.is_prod() && self.get("auth.signing_key").is_none() {
            found.push(Finding::failed(
                "settings",
                "`auth.signing_key` is not set, and `prod` does not start without it",
                "run `cargo run -- keys generate`, and set APP_AUTH__SIGNING_KEY to the result",
            ));
        }
        found
    }
}

fn port(key: &str, address: &str) -> Finding {
    if let Some(path) = address.strip_prefix("unix:") {
        return socket(key, Path::new(path));
    }
    let Ok(address) = address.parse::<SocketAddr>() else {
        return Finding::failed(
            "ports",
            format!("`{key}` is `{address}`, which is no address and port"),
            "write it as `127.0.0.1:8000`",
        );
    };
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok("ports", format!("{address} is free (`{key}`)")),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::warning(
            "ports",
            format!("{address} is in use (`{key}`)"),
            "stop the process that listens there, or set another port",
        ),
        Err(error) => Finding::failed(
            "ports",
            format!("{address} cannot be bound (`{key}`): {error}"),
            "choose an address of this machine and a port above 1023",
        ),
    }
}

/// A Unix socket. It is not created: the application would find the file.
fn socket(key: &str, path: &Path) -> Finding {
    let shown = path.display();
    match UnixStream::connect(path) {
        Ok(_) => Finding::warning(
            "ports",
            format!("{shown} is in use (`{key}`)"),
            "stop the process that listens there, or set another path",
        ),
        Err(_) if path.parent().is_some_and(Path::is_dir) => {
            Finding::ok("ports", format!("{shown} is free (`{key}`)"))
        }
        Err(_) => Finding::failed(
            "ports",
            format!("the folder of {shown} does not exist (`{key}`)"),
            "create it, and let the user of the application write to it",
        ),
    }
}
