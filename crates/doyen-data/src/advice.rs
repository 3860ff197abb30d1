//! What to do about a database that cannot be opened.

use sea_orm::DbErr;

use crate::error::{code, sqlx_error};

const TLS: &str =
    "no TLS connection can be established. Correct the certificates, or `sslmode` in the URL";

/// Returns what to do about a database that cannot be opened.
pub(crate) fn advice(scheme: &str, error: &DbErr) -> String {
    if scheme == "sqlite" {
        return sqlite(error).to_owned();
    }
    let advice = match code(error).as_deref() {
        Some("28P01") => "the server refuses the user or the password. Correct the URL",
        Some("28000") => {
            "the server refuses the user, or a connection without TLS. Correct the URL; for TLS add `sslmode=require`"
        }
        Some("3D000") => "there is no such database. Create it with `createdb`",
        Some("42501") => "the user has no right to connect to the database. Grant `CONNECT`",
        Some("53300") => {
            "the server has no connection left. Lower `max_connections` or raise the server's"
        }
        Some("57P03") => "the server is starting or stopping. Try again",
        #[cfg(feature = "postgres")]
        Some(_) if is_pooler(error) => crate::connection::POOLER_FOUND,
        Some(code) => return format!("the server refuses the connection (SQLSTATE {code})"),
        None => match sqlx_error(error) {
            Some(sqlx::Error::Configuration(error)) => return error.to_string(),
            Some(sqlx::Error::Tls(_)) => TLS,
            Some(sqlx::Error::Io(error)) if error.kind() == std::io::ErrorKind::InvalidData => TLS,
            Some(sqlx::Error::Io(error)) if is_file(error) => {
                "a file that the URL names cannot be read. Correct its path or its rights"
            }
            _ => "the server does not answer. Start it, or correct host and port",
        },
    };
    advice.to_owned()
}

/// Returns true for a startup parameter that a pooler does not know.
#[cfg(feature = "postgres")]
fn is_pooler(error: &DbErr) -> bool {
    let text = match sqlx_error(error) {
        Some(sqlx::Error::Database(error)) => error.message().to_owned(),
        _ => String::new(),
    };
    text.contains("unsupported startup parameter")
}

/// True for an error of a file, such as the certificate of `sslrootcert`.
fn is_file(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::IsADirectory
    )
}

fn sqlite(error: &DbErr) -> &'static str {
    let code = code(error).and_then(|code| code.parse::<u32>().ok());
    match code.map(|code| code & 0xff) {
        Some(8) => "the file is read-only. Correct the rights of the file and of its folder",
        Some(14) => "the file cannot be opened. Correct the path, or the rights of its folder",
        Some(26) => "the file is not a SQLite database. Correct the path",
        Some(5 | 6) => "another process holds it. Stop that process",
        _ => "the file cannot be opened",
    }
}

/// Returns what to do about a failed statement of the migrator, if that is known.
pub(crate) fn migration_advice(error: &DbErr) -> &'static str {
    match code(error).as_deref() {
        Some("42501") => {
            ". The user of the database lacks a right: grant it, or migrate as the owner of the schema"
        }
        Some("3F000") => {
            ". The search path names no schema that exists: create the schema, or correct `search_path`"
        }
        Some("25006") => ". The server is a read-only replica: use the primary",
        _ => "",
    }
}
