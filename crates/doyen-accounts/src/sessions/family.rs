//! The rules of refresh token rotation, without a database.
//!
//! | token | result |
//! | --- | --- |
//! | the current one | is exchanged for its successor |
//! | the previous one, within the grace period | returns the same successor again: the client lost the response |
//! | the previous one later, or an older one | was stolen, or its successor was: the session ends |
//! | invented, or of an ended session | is invalid |
//!
//! A token that is ahead of its session is genuine too: the store lost the last rotations. It is
//! accepted, and its session catches up.

use std::time::Duration;

use doyen_core::Timestamp;

use super::secrets::{self, Keys, Presented};
use super::{SessionKind, SessionRecord};

/// What to do with a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RotationVerdict {
    /// Exchange it for a successor.
    Rotate,
    /// Return the same successor again.
    Repeat,
    /// It was used before: end the session.
    Reused,
    /// Reject it.
    Invalid,
}

pub(crate) fn evaluate(
    record: &SessionRecord,
    token: &Presented,
    keys: &Keys,
    now: Timestamp,
    grace: Duration,
) -> RotationVerdict {
    if record.kind != SessionKind::Bearer || !record.is_live(now) {
        return RotationVerdict::Invalid;
    }
    let hash = secrets::hash(&token.secret);
    // The hashes come first: they survive a change of the seed.
    if token.counter == record.counter && secrets::same(&hash, &record.secret_hash) {
        return RotationVerdict::Rotate;
    }
    let before = record
        .previous_hash
        .is_some_and(|known| secrets::same(&hash, &known));
    if before {
        let fresh = record
            .spent_at
            .is_some_and(|spent| now.since(spent) < grace);
        return if fresh {
            RotationVerdict::Repeat
        } else {
            RotationVerdict::Reused
        };
    }
    let ours = keys.secret(record.id, token.counter, &record.salt);
    if !secrets::same(&ours, &token.secret) {
        return RotationVerdict::Invalid;
    }
    if token.counter > record.counter {
        RotationVerdict::Rotate
    } else {
        RotationVerdict::Reused
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

        fn evaluate(&self, token: Presented, second: i64) -> RotationVerdict {
            evaluate(&self.record, &token, &self.keys, at(second), GRACE)
        }
    }

    #[test]
    fn the_one_that_counts_and_the_one_before_within_the_grace() {
        let family = family(2);
        assert_eq!(family.evaluate(family.token(2), 5), RotationVerdict::Rotate);
        assert_eq!(family.evaluate(family.token(1), 9), RotationVerdict::Repeat);
        assert_eq!(
            family.evaluate(family.token(1), 10),
            RotationVerdict::Reused
        );
        assert_eq!(family.evaluate(family.token(0), 1), RotationVerdict::Reused);
        // A clock that is behind is no reuse.
        assert_eq!(
            family.evaluate(family.token(1), -3),
            RotationVerdict::Repeat
        );
    }

    #[test]
    fn without_grace_a_second_use_is_a_theft() {
        let family = family(1);
        let token = family.token(0);
        assert_eq!(
            evaluate(&family.record, &token, &family.keys, at(0), Duration::ZERO),
            RotationVerdict::Reused
        );
    }

    /// Ids of sessions are not secret: knowing one must not suffice to end it.
    #[test]
    fn made_up_tokens_are_nothing_and_end_nothing() {
        let family = family(2);
        for counter in 0..4 {
            let made_up = Presented {
                secret: [7; 32],
                ..family.token(counter)
            };
            assert_eq!(family.evaluate(made_up, 1), RotationVerdict::Invalid);
            // The secret of one counter with another counter.
            let moved = Presented {
                counter: counter + 10,
                ..family.token(counter)
            };
            assert!(
                !matches!(family.evaluate(moved, 1), RotationVerdict::Rotate),
                "{counter}"
            );
        }
    }

    #[test]
    fn over_is_over() {
        let mut family = family(1);
        assert_eq!(
            family.evaluate(family.token(1), 1000),
            RotationVerdict::Invalid
        );
        assert_eq!(
            family.evaluate(family.token(0), 1000),
            RotationVerdict::Invalid
        );
        family.record.idle_until = at(9000);
        assert_eq!(
            family.evaluate(family.token(1), 2999),
            RotationVerdict::Rotate
        );
        assert_eq!(
            family.evaluate(family.token(1), 3000),
            RotationVerdict::Invalid
        );
        family.record.ended_at = Some(at(1));
        assert_eq!(
            family.evaluate(family.token(1), 2),
            RotationVerdict::Invalid
        );
        assert_eq!(
            family.evaluate(family.token(0), 2),
            RotationVerdict::Invalid
        );
    }

    /// A store that lost its last writes: the session continues, and older tokens are still
    /// detected.
    #[test]
    fn a_token_that_is_ahead_counts() {
        let family = family(2);
        assert_eq!(family.evaluate(family.token(4), 5), RotationVerdict::Rotate);
    }

    #[test]
    fn a_new_seed_ends_no_session() {
        let mut family = family(2);
        let (now, before, old) = (family.token(2), family.token(1), family.token(0));
        family.keys = Keys::new(&AccountKeys::with(|_| [8; 32]));
        assert_eq!(family.evaluate(now, 5), RotationVerdict::Rotate);
        assert_eq!(family.evaluate(before, 60), RotationVerdict::Reused);
        // Older tokens cannot be distinguished from invented ones.
        assert_eq!(family.evaluate(old, 5), RotationVerdict::Invalid);
    }

    #[test]
    fn a_cookie_session_has_no_refresh_tokens() {
        let mut family = family(0);
        family.record.kind = SessionKind::Cookie;
        assert_eq!(
            family.evaluate(family.token(0), 1),
            RotationVerdict::Invalid
        );
    }
}
