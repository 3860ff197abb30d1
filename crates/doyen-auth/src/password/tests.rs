//! Hashing with real argon2, at a low cost.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::Instant;

use doyen_core::{Kind, Problem as _};

use super::*;

fn passwords() -> Passwords {
    Passwords::new(PasswordOptions::fast_for_tests()).unwrap()
}

fn secret(text: &str) -> Secret<String> {
    text.to_owned().into()
}

/// Waits until a condition holds.
async fn until(condition: impl Fn() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed().as_secs() < 10, "the condition never held");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hash_fits_its_own_password_alone() {
    let passwords = passwords();
    let stored = passwords
        .hash("correct horse".parse().unwrap())
        .await
        .unwrap();
    assert!(
        stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"),
        "{stored}"
    );
    assert_ne!(
        passwords
            .hash("correct horse".parse().unwrap())
            .await
            .unwrap(),
        stored,
        "each has its own salt"
    );
    let good = passwords
        .verify(secret("correct horse"), Some(&stored))
        .await
        .unwrap();
    assert_eq!(
        good,
        Verdict {
            ok: true,
            rehash: false
        }
    );
    for wrong in ["correct hors", "correct horse ", "Correct horse", ""] {
        assert!(
            !passwords
                .verify(secret(wrong), Some(&stored))
                .await
                .unwrap()
                .ok,
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn every_byte_counts() {
    let passwords = passwords();
    let long = "é".repeat(50) + "0123456789 0123456789 0123456789";
    let stored = passwords.hash(long.parse().unwrap()).await.unwrap();
    assert!(
        passwords
            .verify(secret(&long), Some(&stored))
            .await
            .unwrap()
            .ok
    );
    assert!(
        !passwords
            .verify(secret(&long[..long.len() - 1]), Some(&stored))
            .await
            .unwrap()
            .ok
    );
}

#[tokio::test]
async fn a_password_in_another_unicode_form_is_the_same() {
    let passwords = passwords();
    let stored = passwords
        .hash("caf\u{e9} au lait".parse().unwrap())
        .await
        .unwrap();
    assert!(
        passwords
            .verify(secret("cafe\u{301} au lait"), Some(&stored))
            .await
            .unwrap()
            .ok
    );
}

#[tokio::test]
async fn a_hash_of_another_cost_is_accepted_and_to_be_replaced() {
    let old = passwords();
    let stored = old.hash("correct horse".parse().unwrap()).await.unwrap();
    let new = Passwords::new(PasswordOptions {
        iterations: 2,
        ..PasswordOptions::fast_for_tests()
    })
    .unwrap();
    assert_eq!(
        new.verify(secret("correct horse"), Some(&stored))
            .await
            .unwrap(),
        Verdict {
            ok: true,
            rehash: true
        }
    );
    assert_eq!(
        new.verify(secret("wrong horse"), Some(&stored))
            .await
            .unwrap(),
        Verdict {
            ok: false,
            rehash: false
        }
    );
}

/// A hash of the library is accepted here, and the library accepts ours, also in a reused buffer.
#[tokio::test]
async fn hashes_are_those_of_the_library() {
    use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};

    let passwords = passwords();
    for text in ["correct horse", "another horse", "a third horse"] {
        let ours = passwords.hash(text.parse().unwrap()).await.unwrap();
        Argon2::default()
            .verify_password(text.as_bytes(), ours.as_str())
            .unwrap();
        for params in [(8, 1, 1), (8, 3, 1), (64, 1, 4)] {
            let params = Params::new(params.0, params.1, params.2, None).unwrap();
            for algorithm in [argon2::Algorithm::Argon2id, argon2::Algorithm::Argon2i] {
                let library = Argon2::new(algorithm, argon2::Version::V0x13, params.clone());
                let theirs = library.hash_password(text.as_bytes()).unwrap().to_string();
                let verdict = passwords.verify(secret(text), Some(&theirs)).await.unwrap();
                assert!(verdict.ok, "{theirs}");
                let wrong = passwords
                    .verify(secret("wrong"), Some(&theirs))
                    .await
                    .unwrap();
                assert!(!wrong.ok, "{theirs}");
            }
        }
    }
}

#[tokio::test]
async fn a_stored_hash_that_costs_too_much_is_refused() {
    for (memory, passes) in [(1 << 20, 1), (128 << 10, 9), (8, 4_000_000_000_u32)] {
        let costly = format!(
            "$argon2id$v=19$m={memory},t={passes},p=1$c29tZXNhbHRzb21lc2FsdA$\
             AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        );
        let error = passwords()
            .verify(secret("correct horse"), Some(&costly))
            .await
            .unwrap_err();
        assert_eq!(error.info().kind, Kind::Internal);
        let message = error.error().to_string();
        let cost = format!("{memory} KiB of memory and {passes} passes");
        assert!(message.contains(&cost), "{message}");
    }
}

/// However many passwords are checked at once, there are no more buffers than permits.
#[tokio::test(flavor = "multi_thread")]
async fn buffers_are_as_many_as_permits() {
    let options = PasswordOptions {
        permits: 2,
        queue: 100,
        ..PasswordOptions::fast_for_tests()
    };
    let passwords = Arc::new(Passwords::new(options).unwrap());
    let checks: Vec<_> = (0..50)
        .map(|_| {
            let passwords = Arc::clone(&passwords);
            tokio::spawn(async move { passwords.verify(secret("correct horse"), None).await })
        })
        .collect();
    for check in checks {
        check.await.unwrap().unwrap();
    }
    let idle = passwords.buffers.idle();
    assert!((1..=2).contains(&idle), "{idle}");
}

#[tokio::test]
async fn an_unknown_user_is_refused_whatever_the_password() {
    let passwords = passwords();
    for text in ["correct horse", "", &"x".repeat(100_000)] {
        assert_eq!(
            passwords.verify(secret(text), None).await.unwrap(),
            Verdict {
                ok: false,
                rehash: false
            }
        );
    }
}

/// The dummy is a hash like any other: same algorithm, same cost, same lengths.
#[tokio::test]
async fn the_dummy_costs_what_a_real_hash_costs() {
    let passwords = passwords();
    let real = passwords
        .hash("correct horse".parse().unwrap())
        .await
        .unwrap();
    let shape = |text: &str| {
        let hash = argon2::PasswordHash::new(text).unwrap();
        (
            hash.algorithm,
            hash.version,
            hash.params.to_string(),
            text.len(),
        )
    };
    assert_eq!(shape(&passwords.dummy), shape(&real));
}

/// A8, on a small scale: known and unknown user alternately. The bound is wide because the machine
/// may be busy; without the dummy the factor would be in the hundreds.
#[tokio::test(flavor = "multi_thread")]
async fn known_and_unknown_users_take_the_same_time() {
    let passwords = Passwords::new(PasswordOptions {
        memory_kib: 4_096,
        permits: 1,
        ..PasswordOptions::default()
    })
    .unwrap();
    let stored = passwords
        .hash("correct horse".parse().unwrap())
        .await
        .unwrap();
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..15 {
        for (times, stored) in times.iter_mut().zip([Some(stored.as_str()), None]) {
            let start = Instant::now();
            passwords
                .verify(secret("wrong horse"), stored)
                .await
                .unwrap();
            times.push(start.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    });
    assert!((0.5..2.0).contains(&(known / unknown)), "{known} {unknown}");
}

#[tokio::test]
async fn text_that_is_no_hash_is_a_fault_and_not_a_wrong_password() {
    for stored in [
        "",
        "hunter2",
        "$argon2id$v=19$m=8,t=1,p=1$short",
        "$2b$12$abcdefghijklmnopqrstuv",
    ] {
        let error = passwords()
            .verify(secret("correct horse"), Some(stored))
            .await;
        assert!(
            error.is_err_and(|error| error.info().kind == Kind::Internal),
            "{stored}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_work_at_once_than_permitted_and_the_excess_is_told_to_wait() {
    let options = PasswordOptions {
        permits: 2,
        queue: 3,
        ..PasswordOptions::fast_for_tests()
    };
    let passwords = Arc::new(Passwords::new(options).unwrap());
    let (open, gate) = channel::<()>();
    let gate = Arc::new(std::sync::Mutex::new(gate));
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let start = || {
        let (passwords, gate) = (Arc::clone(&passwords), Arc::clone(&gate));
        let (running, most) = (Arc::clone(&running), Arc::clone(&most));
        tokio::spawn(async move {
            let work = move |_: &mut [Block]| {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                _ = gate.lock().unwrap().recv();
                running.fetch_sub(1, Ordering::SeqCst);
            };
            passwords.run(8, work).await
        })
    };
    let inside: Vec<_> = (0..5).map(|_| start()).collect();
    until(|| passwords.admission.available_permits() == 0).await;
    let refused = passwords
        .verify(secret("correct horse"), None)
        .await
        .unwrap_err();
    assert_eq!(refused.info().kind, Kind::Unavailable);
    assert_eq!(refused.retry_after(), Some(1));
    assert!(refused.error().is::<Overloaded>());

    drop(open);
    for task in inside {
        task.await.unwrap().unwrap();
    }
    assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    assert!(
        passwords
            .verify(secret("correct horse"), None)
            .await
            .is_ok(),
        "a permit is free again"
    );
}

/// A client that disconnects while its password is hashed does not free the permit before the work
/// is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_keeps_its_permit_until_the_work_is_done() {
    let passwords = Arc::new(
        Passwords::new(PasswordOptions {
            permits: 1,
            queue: 0,
            ..PasswordOptions::fast_for_tests()
        })
        .unwrap(),
    );
    let (entered, enters) = channel::<()>();
    let (open, gate) = channel::<()>();
    let theirs = Arc::clone(&passwords);
    let client = tokio::spawn(async move {
        let work = move |_: &mut [Block]| {
            _ = entered.send(());
            _ = gate.recv();
        };
        theirs.run(8, work).await
    });
    tokio::task::spawn_blocking(move || enters.recv())
        .await
        .unwrap()
        .unwrap();
    client.abort();
    _ = client.await;
    assert!(
        passwords
            .verify(secret("correct horse"), None)
            .await
            .is_err()
    );
    drop(open);
    until(|| passwords.admission.available_permits() > 0).await;
    assert!(
        passwords
            .verify(secret("correct horse"), None)
            .await
            .is_ok()
    );
}

#[test]
fn options_out_of_range_are_refused() {
    let fast = PasswordOptions::fast_for_tests();
    for options in [
        PasswordOptions {
            memory_kib: 7,
            ..fast
        },
        PasswordOptions {
            iterations: 0,
            ..fast
        },
        PasswordOptions {
            parallelism: 0,
            ..fast
        },
        PasswordOptions { permits: 0, ..fast },
    ] {
        assert!(Passwords::new(options).is_err(), "{options:?}");
    }
}
