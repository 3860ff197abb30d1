//! Masks what looks like a password in a text that is not marked as secret.

const MASK: &str = "***";

/// Returns the text with the password of a URL and the values of parameters such as `password=`
/// replaced by `***`.
///
/// It hides too much rather than too little: a password may contain any character, also those that
/// must be escaped in a URL.
///
/// ```
/// assert_eq!(doyen_core::mask("postgres://shop:hunter2@db/shop"), "postgres://shop:***@db/shop");
/// ```
pub fn mask(text: &str) -> String {
    parameters(&user_info(text))
}

/// `postgres://user:secret@host` as `postgres://user:***@host`.
fn user_info(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let Some((user, host)) = rest.rsplit_once('@') else {
        return text.to_owned();
    };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:{MASK}@{host}"),
        None => text.to_owned(),
    }
}

/// `?password=secret&x=1` as `?password=***&x=1`.
fn parameters(text: &str) -> String {
    let mut out = text.to_owned();
    for name in ["password=", "passwd=", "secret=", "token=", "key="] {
        let mut from = 0;
        while let Some(at) = out
            .get(from..)
            .and_then(|rest| rest.to_ascii_lowercase().find(name))
        {
            let start = from + at + name.len();
            let end = out[start..]
                .find(['&', ' ', ';'])
                .map_or(out.len(), |end| start + end);
            out.replace_range(start..end, MASK);
            from = start + MASK.len();
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn passwords_are_hidden_and_the_rest_is_not() {
        for (text, shown) in [
            (
                "postgres://shop:hunter2@db/shop",
                "postgres://shop:***@db/shop",
            ),
            ("redis://:hunter2@cache:6379", "redis://:***@cache:6379"),
            (
                "postgres://shop:p/a@s?s@db/shop",
                "postgres://shop:***@db/shop",
            ),
            (
                "postgres://db/shop?user=a&Password=hunter2&sslmode=require",
                "postgres://db/shop?user=a&Password=***&sslmode=require",
            ),
            (
                "host=db password=hunter2 dbname=shop",
                "host=db password=*** dbname=shop",
            ),
            ("postgres://shop@db/shop", "postgres://shop@db/shop"),
            (
                "postgres://me:s3cr@et@db:5432/shop?sslmode=require",
                "postgres://me:***@db:5432/shop?sslmode=require",
            ),
            ("sqlite://data/shop.db", "sqlite://data/shop.db"),
            ("ü=shop@example.com", "ü=shop@example.com"),
            ("a://x:1@h, b://y:2@h", "a://x:***@h"),
        ] {
            assert_eq!(mask(text), shown);
        }
    }
}
