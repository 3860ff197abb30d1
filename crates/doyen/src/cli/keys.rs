//! Signing keys: shown and changed while the application runs elsewhere.

use std::sync::Arc;

use doyen_auth::{KeyError, KeyState, SigningKeys, StoredKey};
use doyen_core::{Clock as _, SystemClock, Timestamp};
use doyen_data::Database;
use doyen_settings::Loaded;

use super::words::KeysWord;
use super::{Failed, config, say};
use crate::assemble::signing_seed;
use crate::settings::Whole;

/// Works on the table alone: keys of another seed, which keep the application from starting, can be dropped here.
pub(super) async fn obey(loaded: Loaded<Whole>, word: KeysWord) -> Result<(), Failed> {
    let settings = &loaded.value.framework;
    let seed = signing_seed(settings, loaded.environment)?;
    let database = Database::connect(&settings.database.options()).await?;
    let algorithm = settings.auth.algorithm.into();
    let keys = SigningKeys::new(database.clone(), seed, algorithm, Arc::new(SystemClock));
    let answer = answer(&keys, word).await;
    database.close().await;
    say(&answer?);
    Ok(())
}

async fn answer(keys: &SigningKeys, word: KeysWord) -> Result<String, KeyError> {
    match word {
        KeysWord::Generate => Ok(String::new()),
        KeysWord::List => Ok(table(&keys.list().await?)),
        KeysWord::Rotate { early } => {
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
        KeysWord::Drop { number } => {
            let dropped = keys.drop_retired(number).await?;
            Ok(format!(
                "key {} is refused now ({})",
                dropped.number, dropped.kid
            ))
        }
        KeysWord::Reset => {
            let current = keys.reset().await?;
            Ok(format!(
                "key {} signs now ({}, {}); every other key and every access token is refused",
                current.number, current.algorithm, current.kid
            ))
        }
    }
}

/// Each key and how it stands.
fn table(all: &[StoredKey]) -> String {
    if all.is_empty() {
        return "no keys yet: the first start writes them".to_owned();
    }
    let now = SystemClock.now();
    let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    let rows = all
        .iter()
        .map(|key| {
            // A key whose time is over is refused, whether the next rotation has written that down or not.
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
    config::align(head, rows)
}
