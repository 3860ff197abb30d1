//! The root secret: from a setting, or in development from a file that the first start writes.

use std::path::{Path, PathBuf};

use doyen_core::Secret;
use doyen_secret::{BadSeed, Seed};
use doyen_settings::{Environment, Settings};

use crate::fault::Fault;

/// The section of these settings. Deployments have it, so it keeps its name.
pub(crate) const SECTION: &str = "auth";

/// The file of the generated secret in earlier versions, and without SQLite.
const FORMER_FILE: &str = "data/dev.key";

/// The root secret.
#[derive(Debug, Clone, Settings)]
#[non_exhaustive]
pub struct SecretSettings {
    /// Root secret, from which signing keys and all other keys are derived: 32 random bytes in
    /// base64url. Required in `prod`. In `dev` and `test` it is generated at the first start.
    pub signing_key: Option<Secret<String>>,
    /// File in which the generated development secret is stored. If not set, `dev.key` next to the
    /// SQLite database, or `data/dev.key`.
    pub dev_key_file: Option<PathBuf>,
}

/// The seed, and the file that it must be written to.
pub(crate) struct RootSecret {
    pub(crate) seed: Seed,
    new_file: Option<PathBuf>,
}

impl RootSecret {
    /// A random secret that is never stored, for commands that only describe the application.
    pub(crate) fn ephemeral() -> Result<Self, Fault> {
        let seed = Seed::generate().map_err(failed)?;
        Ok(Self {
            seed,
            new_file: None,
        })
    }

    /// Reads the secret. Writes nothing: a new one is stored by [`store`](Self::store).
    pub(crate) fn read(
        settings: &SecretSettings,
        environment: Environment,
        database_url: Option<&str>,
    ) -> Result<Self, Fault> {
        if let Some(text) = &settings.signing_key {
            let seed = Seed::parse(text.expose()).map_err(failed)?;
            return Ok(Self {
                seed,
                new_file: None,
            });
        }
        if environment.is_prod() {
            return Err(wrong(
                "it is not set. In `prod` set APP_AUTH__SIGNING_KEY to 32 random bytes as base64url; `keys generate` prints a new one".to_owned(),
            ));
        }
        let path = match &settings.dev_key_file {
            Some(path) => path.clone(),
            None => default_key_file(database_url.unwrap_or_default()),
        };
        if let Some(seed) = Seed::load(&path).map_err(failed)? {
            return Ok(Self {
                seed,
                new_file: None,
            });
        }
        // Where it was before it moved next to the database, whose data depends on it.
        let former = match settings.dev_key_file {
            None => Seed::load(Path::new(FORMER_FILE)).map_err(failed)?,
            Some(_) => None,
        };
        Ok(Self {
            seed: match former {
                Some(seed) => seed,
                None => Seed::generate().map_err(failed)?,
            },
            new_file: Some(path),
        })
    }

    /// Returns the key that signs cursors.
    #[cfg(feature = "database")]
    pub(crate) fn cursor_key(&self) -> [u8; 32] {
        self.seed.derive("cursor")
    }

    /// Writes a new secret to its file.
    pub(crate) fn store(&self) -> Result<(), Fault> {
        let Some(path) = &self.new_file else {
            return Ok(());
        };
        let stored = self.seed.store(path).map_err(failed)?;
        if stored.derive("same") == self.seed.derive("same") {
            return Ok(());
        }
        Err(wrong(format!(
            "another process wrote {} at the same moment: start again",
            path.display()
        )))
    }
}

/// The secret belongs to the data, so it is next to it, whatever the working directory is.
fn default_key_file(database_url: &str) -> PathBuf {
    let file = database_url.strip_prefix("sqlite:").map(|file| {
        let file = file.strip_prefix("//").unwrap_or(file);
        Path::new(file.split_once('?').map_or(file, |(file, _)| file))
    });
    let folder = file.and_then(Path::parent);
    folder.unwrap_or(Path::new("data")).join("dev.key")
}

fn failed(error: BadSeed) -> Fault {
    Fault::setting_error("auth.signing_key", error)
}

fn wrong(message: String) -> Fault {
    Fault::setting("auth.signing_key", message)
}

#[cfg(all(test, feature = "database"))]
mod tests {
    use super::*;

    #[test]
    fn a_generated_secret_is_next_to_the_database() {
        for (url, file) in [
            ("sqlite://data/app.db", "data/dev.key"),
            ("sqlite:///srv/shop/app.db?mode=rwc", "/srv/shop/dev.key"),
            ("sqlite:app.db", "dev.key"),
            ("postgres://127.0.0.1/shop", "data/dev.key"),
            ("", "data/dev.key"),
        ] {
            assert_eq!(default_key_file(url), Path::new(file), "{url}");
        }
    }

    /// Cursors that clients hold depend on it.
    #[test]
    fn the_key_of_cursors_never_changes() {
        let seed = Seed::parse("sLJYAgdCfOu32XB4lHaIbwtz27qjZoTrdH8YZ30eNwc").unwrap();
        let secret = RootSecret {
            seed,
            new_file: None,
        };
        let key: String = secret
            .cursor_key()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert_eq!(
            key,
            "745cc2e5372d23c9ad2edb7eff014c00d12e3583d7071c899dc1d67d3f597026"
        );
    }
}
