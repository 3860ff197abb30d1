//! Mistakes in a database URL that would open another database than the one that is meant.

/// Returns an error for a URL with a space at its end, a control character, or a password that is
/// not escaped.
pub(crate) fn check(url: &str) -> Result<(), String> {
    if url.trim() != url || url.contains(char::is_control) {
        return Err(
            "the URL begins or ends with a space, or contains a line break. Remove it".to_owned(),
        );
    }
    let Some(rest) = ["postgres://", "postgresql://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme))
    else {
        return Ok(());
    };
    // A `#` ends the URL, and a `/` ends the part with the password.
    let path = rest.split_once('/').map_or("", |(_, path)| path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if rest.contains('#') || path.contains('@') {
        return Err(
            "special characters in the password must be escaped: `#` is `%23`, `/` is `%2F`, `?` is `%3F`, `@` is `%40`"
                .to_owned(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_url_that_means_another_database_is_refused() {
        for url in [
            "sqlite://data/a.db\n",
            " sqlite://data/a.db",
            "sqlite://data/a\u{0}.db",
            "postgres://me:s3/cret@db/shop",
            "postgres://me:s3#cret@db/shop",
            "postgres://me:s3cret@db/shop#x",
        ] {
            assert!(check(url).is_err(), "{url}");
        }
        for url in [
            "sqlite:///home/me/my data/a.db",
            "postgres://me:s3cr@et@db:5432/shop?sslmode=require",
            "postgres://me:s3%2Fcret@db/shop?application_name=a@b",
        ] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
    }
}
