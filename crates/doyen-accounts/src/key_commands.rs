//! The commands `keys ..`: signing keys, shown and changed while the application runs elsewhere.
//!
//! They need the table alone: keys of another secret, which keep the application from starting, can
//! be dropped here.

use std::sync::Arc;

use doyen_app::{Command, Manifest, align};
use doyen_auth::{KeyError, KeyState, SigningKeys, StoredKey};
use doyen_core::{Clock as _, SystemClock, Timestamp, Unexpected};
use doyen_secret::Seed;

type Keys = Arc<SigningKeys>;

pub(crate) fn declare(manifest: &mut Manifest) {
    manifest
        .command(generate())
        .command(list().before_start())
        .command(rotate().before_start())
        .command(drop_retired().before_start())
        .command(reset().before_start());
}

fn generate() -> Command {
    let about = "Prints a new root secret for APP_AUTH__SIGNING_KEY";
    let run = |(), _| async { Ok(Seed::generate()?.to_text().expose().clone()) };
    Command::new("keys generate", about, &[], run).offline()
}

fn list() -> Command {
    let run = |keys: Keys, _| async move { Ok(table(&keys.list().await?)) };
    Command::new("keys list", "Lists the keys and their state", &[], run)
}

fn rotate() -> Command {
    let about = "Signs with the next key and publishes a new next one";
    let run = |keys: Keys, arguments: Vec<String>| async move {
        let early = arguments.first().is_some_and(|force| force == "true");
        Ok(rotated(&keys, early).await?)
    };
    Command::new("keys rotate", about, &[], run).flag(
        "force",
        "Even if caches of the public keys may not have the next one yet",
    )
}

async fn rotated(keys: &SigningKeys, early: bool) -> Result<String, KeyError> {
    let done = keys.rotate(early).await?;
    let until = done.retired.accepted_until();
    Ok(format!(
        "key {} signs now ({}, {})\nkey {} is accepted until {}\nkey {} is published and signs after the next rotation ({})",
        done.current.number,
        done.current.algorithm,
        done.current.kid,
        done.retired.number,
        until.map_or_else(String::new, |until| until.to_string()),
        done.next.number,
        done.next.algorithm,
    ))
}

fn drop_retired() -> Command {
    let about = "Refuses a retired key at once, and every token it signed";
    let run = |keys: Keys, arguments: Vec<String>| async move {
        let number = arguments.first().and_then(|number| number.parse().ok());
        let number = number.ok_or_else(|| {
            Unexpected::new("the number must be a whole number, as `keys list` shows it")
        })?;
        let dropped = keys.drop_retired(number).await?;
        Ok(format!(
            "key {} is refused now ({})",
            dropped.number, dropped.kid
        ))
    };
    Command::new("keys drop", about, &["number"], run)
}

fn reset() -> Command {
    let about = "Drops all keys and starts with new ones: every access token ends";
    let run = |keys: Keys, _| async move {
        let current = keys.reset().await?;
        Ok(format!(
            "key {} signs now ({}, {}); every other key and every access token is refused",
            current.number, current.algorithm, current.kid
        ))
    };
    Command::new("keys reset", about, &[], run)
}

/// Each key and its state.
fn table(all: &[StoredKey]) -> String {
    if all.is_empty() {
        return "no keys yet: the first start writes them".to_owned();
    }
    let now = SystemClock.now();
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let rows = all
        .iter()
        .map(|key| {
            // An expired key is rejected, whether or not a rotation has recorded it.
            let state = if key.is_accepted(now) {
                key.state
            } else {
                KeyState::Dropped
            };
            [
                key.number.to_string(),
                key.kid.clone(),
                key.algorithm.to_string(),
                state.to_string(),
                key.created_at.to_string(),
                time(key.promoted_at),
                time(key.retired_at),
                time(key.accepted_until()),
            ]
        })
        .collect();
    let head = [
        "KEY",
        "KID",
        "ALGORITHM",
        "STATE",
        "PUBLISHED",
        "SIGNS SINCE",
        "SIGNED UNTIL",
        "ACCEPTED UNTIL",
    ];
    align(head, rows)
}
