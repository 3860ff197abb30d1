//! Files that cannot be used, and what the error says.

use std::time::{Duration, SystemTime};

use toolkit::certificates::Authority;

use crate::support::Files;

/// Writes the files, and returns the error and whether it is about the key.
fn error(certificate: Option<&str>, key: Option<&str>) -> (String, bool) {
    let files = Files::new();
    if let Some(certificate) = certificate {
        std::fs::write(files.certificate(), certificate).unwrap();
    }
    if let Some(key) = key {
        std::fs::write(files.key(), key).unwrap();
    }
    let error = files.load().unwrap_err();
    (error.to_string(), error.is_about_key())
}

#[test]
fn an_error_names_the_file_and_the_cause() {
    let (one, other) = (Authority::new().server(), Authority::new().server());
    let section =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let broken = "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n";
    let no_certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (certificate, key, is_about_key, words) in [
        ("", &*one.key, false, "has no certificate in PEM"),
        (&*one.key, &*one.key, false, "has no certificate in PEM"),
        (broken, &*one.key, false, "is not valid PEM"),
        (no_certificate, &*one.key, false, "cannot be used"),
        (&*one.certificate, "", true, "has no private key in PEM"),
        (
            &*one.certificate,
            &*one.certificate,
            true,
            "has no private key in PEM",
        ),
        (&*one.certificate, section, true, "is encrypted"),
        (
            &*one.certificate,
            &*other.key,
            true,
            "does not belong to the certificate",
        ),
    ] {
        let (error, key) = error(Some(certificate), Some(key));
        assert_eq!(key, is_about_key, "{words}: {error}");
        assert!(error.contains(words), "{words}: {error}");
        let file = if is_about_key {
            "key.pem"
        } else {
            "certificate.pem"
        };
        assert!(error.contains(file), "{file}: {error}");
    }
}

#[test]
fn a_file_that_is_missing_or_too_large_is_named() {
    let files = Files::new();
    std::fs::remove_file(files.key()).unwrap();
    let error = files.load().unwrap_err();
    assert!(error.is_about_key());
    assert!(
        error.to_string().contains("key.pem cannot be read"),
        "{error}"
    );
    std::fs::remove_file(files.certificate()).unwrap();
    let error = files.load().unwrap_err().to_string();
    assert!(error.contains("certificate.pem cannot be read"), "{error}");
    let (error, _) = self::error(Some(&"x".repeat(2 << 20)), None);
    assert!(error.contains("too much"), "{error}");
}

#[test]
fn the_validity_of_a_certificate_is_known_and_warned_of() {
    let files = Files::new();
    let days = |count: u64| SystemTime::UNIX_EPOCH + Duration::from_secs(count * 86_400);
    assert!(
        files
            .load()
            .unwrap()
            .warnings()
            .iter()
            .all(|line| !line.contains("certificate in"))
    );
    for (first, last, from, to, words) in [
        (
            (1971, 1, 1),
            (1972, 1, 1),
            days(365),
            days(730),
            "has expired",
        ),
        (
            (2990, 1, 1),
            (2991, 1, 1),
            days(372_548),
            days(372_913),
            "is not valid yet",
        ),
    ] {
        files.write(&files.authority.server_between(first, last));
        let tls = files.load().unwrap();
        assert_eq!(tls.validity().not_before, from);
        assert_eq!(tls.validity().not_after, to);
        let warnings = tls.warnings().join("\n");
        assert!(
            warnings.contains(words) && warnings.contains("certificate.pem"),
            "{warnings}"
        );
    }
}

#[cfg(unix)]
#[test]
fn a_key_that_every_user_can_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let files = Files::new();
    for (mode, is_warned) in [(0o600, false), (0o640, false), (0o644, true)] {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(files.key(), permissions).unwrap();
        let warnings = files.load().unwrap().warnings().join("\n");
        assert_eq!(
            warnings.contains("every user"),
            is_warned,
            "{mode:o}: {warnings}"
        );
        assert_eq!(
            warnings.contains("key.pem"),
            is_warned,
            "{mode:o}: {warnings}"
        );
    }
}
