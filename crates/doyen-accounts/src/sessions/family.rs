//! What a refresh token is worth: the rules of rotation, without a database.
//!
//! | the token | in its session |
//! | --- | --- |
//! | the one that counts | is spent for its successor |
//! | the one before it, within the grace | gives the same successor once more: the client lost the answer |
//! | the one before it, later, and everything older | was stolen, or its successor was: the session ends |
//! | made up, or of a session that is over | is nothing |
//!
//! A token that is ahead of its session is genuine too: the store forgot the last rotations. It counts, and its session catches up.

use std::time::Duration;

use doyen_core::Timestamp;

use super::secrets::{self, Keys, Presented};
use super::{SessionKind, SessionRecord};

/// What a token is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Worth {
    /// A successor.
    Successor,
    /// The successor it was spent for, once more.
    SameSuccessor,
    /// It was used before: the session ends.
    Reused,
    /// Nothing.
    Nothing,
}

pub(crate) fn worth(
    record: &SessionRecord,
    token: &Presented,
    keys: &Keys,
    now: Timestamp,
    grace: Duration,
) -> Worth {
    if record.kind != SessionKind::Bearer || !record.is_live(now) {
        return Worth::Nothing;
    }
    let hash = secrets::hash(&token.secret);
    // The hashes come first: they hold through a change of the seed.
    if token.counter == record.counter && secrets::same(&hash, &record.secret_hash) {
        return Worth::Successor;
    }
    let before = record
        .previous_hash
        .is_some_and(|known| secrets::same(&hash, &known));
    if before {
        let fresh = record
            .spent_at
            .is_some_and(|spent| now.since(spent) < grace);
        return if fresh {
            Worth::SameSuccessor
        } else {
            Worth::Reused
        };
    }
    let ours = keys.secret(record.id, token.counter, &record.salt);
    if !secrets::same(&ours, &token.secret) {
        return Worth::Nothing;
    }
    if token.counter > record.counter {
        Worth::Successor
    } else {
        Worth::Reused
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account_keys::AccountKeys;
    use crate::sessions::SessionId;

    const GRACE: Duration = Duration::from_secs(10);

    struct Family {
        keys: Keys,
        record: SessionRecord,
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_795_336_200_000_000 + seconds * 1_000_000)
    }

    /// A session whose secret was rotated `counter` times, last at second 0.
    fn family(counter: i64) -> Family {
        let keys = Keys::new(&AccountKeys::with(|_| [9; 32]));
        let id = SessionId::new();
        let salt = [3; 32];
        let hash = |counter| secrets::hash(&keys.secret(id, counter, &salt));
        let record = SessionRecord {
            id,
            subject: "usr_1".into(),
            kind: SessionKind::Bearer,
            generation: 0,
            name: None,
            agent: None,
            created_at: at(-60),
            created_address: None,
            seen_at: at(0),
            seen_address: None,
            idle_until: at(1000),
            absolute_until: at(3000),
            ended_at: None,
            counter,
            salt,
            secret_hash: hash(counter),
            previous_hash: (counter > 0).then(|| hash(counter - 1)),
            spent_at: (counter > 0).then(|| at(0)),
        };
        Family { keys, record }
    }

    impl Family {
        fn token(&self, counter: i64) -> Presented {
            Presented {
                id: self.record.id,
                counter,
                secret: self.keys.secret(self.record.id, counter, &self.record.salt),
            }
        }

        fn worth(&self, token: Presented, second: i64) -> Worth {
            worth(&self.record, &token, &self.keys, at(second), GRACE)
        }
    }

    #[test]
    fn the_one_that_counts_and_the_one_before_within_the_grace() {
        let family = family(2);
        assert_eq!(family.worth(family.token(2), 5), Worth::Successor);
        assert_eq!(family.worth(family.token(1), 9), Worth::SameSuccessor);
        assert_eq!(family.worth(family.token(1), 10), Worth::Reused);
        assert_eq!(family.worth(family.token(0), 1), Worth::Reused);
        // A clock that is behind is no thief.
        assert_eq!(family.worth(family.token(1), -3), Worth::SameSuccessor);
    }

    #[test]
    fn without_grace_a_second_use_is_a_theft() {
        let family = family(1);
        let token = family.token(0);
        assert_eq!(
            worth(&family.record, &token, &family.keys, at(0), Duration::ZERO),
            Worth::Reused
        );
    }

    /// Ids of sessions stand in lists and tokens: who knows one must not be able to end it.
    #[test]
    fn made_up_tokens_are_nothing_and_end_nothing() {
        let family = family(2);
        for counter in 0..4 {
            let made_up = Presented {
                secret: [7; 32],
                ..family.token(counter)
            };
            assert_eq!(family.worth(made_up, 1), Worth::Nothing);
            // The secret of one number under another.
            let moved = Presented {
                counter: counter + 10,
                ..family.token(counter)
            };
            assert!(
                !matches!(family.worth(moved, 1), Worth::Successor),
                "{counter}"
            );
        }
    }

    #[test]
    fn over_is_over() {
        let mut family = family(1);
        assert_eq!(family.worth(family.token(1), 1000), Worth::Nothing);
        assert_eq!(family.worth(family.token(0), 1000), Worth::Nothing);
        family.record.idle_until = at(9000);
        assert_eq!(family.worth(family.token(1), 2999), Worth::Successor);
        assert_eq!(family.worth(family.token(1), 3000), Worth::Nothing);
        family.record.ended_at = Some(at(1));
        assert_eq!(family.worth(family.token(1), 2), Worth::Nothing);
        assert_eq!(family.worth(family.token(0), 2), Worth::Nothing);
    }

    /// A store that lost its last writes: the session goes on, and who is behind is found out all the same.
    #[test]
    fn a_token_that_is_ahead_counts() {
        let family = family(2);
        assert_eq!(family.worth(family.token(4), 5), Worth::Successor);
    }

    #[test]
    fn a_new_seed_ends_no_session() {
        let mut family = family(2);
        let (now, before, old) = (family.token(2), family.token(1), family.token(0));
        family.keys = Keys::new(&AccountKeys::with(|_| [8; 32]));
        assert_eq!(family.worth(now, 5), Worth::Successor);
        assert_eq!(family.worth(before, 60), Worth::Reused);
        // What is older can not be told from what is made up any more.
        assert_eq!(family.worth(old, 5), Worth::Nothing);
    }

    #[test]
    fn a_cookie_session_has_no_refresh_tokens() {
        let mut family = family(0);
        family.record.kind = SessionKind::Cookie;
        assert_eq!(family.worth(family.token(0), 1), Worth::Nothing);
    }
}
