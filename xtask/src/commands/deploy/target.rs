//! A process as a file starts it: its settings are tried with the program.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use toolkit::{Context, Result};

use super::{Checks, seconds};

/// Time that plugins have to stop, after the drain.
const STOP_SECONDS: u64 = 10;

/// What stands in for the secrets of an installation, by the end of their path.
const SECRETS: [(&str, &str); 4] = [
    ("root_secret", "sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc"),
    ("database_url", "sqlite://app.db"),
    ("redis_url", "redis://127.0.0.1:6379"),
    ("mail_url", "smtps://user:password@mail.example.com"),
];

/// A process that a file starts.
pub(super) struct Target {
    /// The file.
    pub(super) name: &'static str,
    pub(super) environment: BTreeMap<String, String>,
    /// How long its supervisor waits for its end, as the file says it.
    pub(super) grace: Option<String>,
    /// Where its secrets are.
    pub(super) secrets: &'static str,
}

/// The addresses that it listens on.
pub(super) struct Addresses {
    pub(super) public: Option<String>,
    pub(super) admin: Option<String>,
}

/// Starts the program with the settings of a target, as far as the command `migrate up` does, and
/// compares the times. Returns its addresses.
pub(super) fn check(target: &Target, checks: &mut Checks) -> Result<Addresses> {
    let folder = std::env::temp_dir().join(format!("doyen-deploy-{}", std::process::id()));
    std::fs::create_dir_all(&folder).context(|| format!("making {}", folder.display()))?;
    let done = in_folder(target, checks, &folder);
    std::fs::remove_dir_all(&folder)?;
    done
}

fn in_folder(target: &Target, checks: &mut Checks, folder: &Path) -> Result<Addresses> {
    for (name, value) in SECRETS {
        std::fs::write(folder.join(name), value)?;
    }
    let name = target.name;
    let mut environment = target.environment.clone();
    for (key, value) in &mut environment {
        if key.ends_with("_FILE") {
            let secret = Path::new(value.as_str())
                .file_name()
                .unwrap_or_default()
                .to_owned();
            let known = SECRETS.iter().any(|(known, _)| *known == secret);
            let within = value.starts_with(target.secrets);
            checks.expect(
                known && within,
                format!(
                    "{name}: {key} is `{value}`, which is no secret in {}",
                    target.secrets
                ),
            );
            *value = folder.join(secret).display().to_string();
        }
    }
    let helpdesk: PathBuf = checks.helpdesk.clone();
    let program = |words: &[&str]| {
        let mut command = Command::new(&helpdesk);
        command
            .args(words)
            .env_clear()
            .envs(&environment)
            .current_dir(folder);
        command
    };
    checks.succeeds(name, &mut program(&["migrate", "up"]));
    let config = checks
        .succeeds(name, &mut program(&["config"]))
        .unwrap_or_default();
    let setting = |key: &str| {
        let line = config
            .lines()
            .find(|line| line.split_whitespace().next() == Some(key))?;
        line.split_whitespace().nth(1).map(str::to_owned)
    };
    let time = |key| setting(key).as_deref().and_then(seconds);
    if let Some(grace) = &target.grace {
        let drain = time("server.drain_delay")
            .zip(time("server.drain_deadline"))
            .map(|(delay, deadline)| delay + deadline + STOP_SECONDS);
        let is_enough = drain
            .zip(seconds(grace))
            .is_some_and(|(drain, grace)| grace > drain);
        checks.expect(
            is_enough,
            format!("{name}: the supervisor waits for {grace}, and a drain takes {drain:?} s"),
        );
    }
    Ok(Addresses {
        public: setting("server.bind"),
        admin: setting("admin.bind"),
    })
}
