//! Users in SQLite or PostgreSQL, and the hashes of their passwords.

use std::sync::Arc;

use doyen::auth::Passwords;
use doyen::data::{Row, Violation as _};
use doyen::prelude::*;

use super::domain::{PasswordHasher, Profile, User, UserError, UserRepository};

/// A user in the table.
#[derive(Row)]
struct UserRow {
    id: String,
    email: String,
    username: String,
    password_hash: String,
    bio: Option<String>,
    image: Option<String>,
}

/// A profile that was read.
#[derive(Row)]
struct ProfileRow {
    username: String,
    bio: Option<String>,
    image: Option<String>,
    following: bool,
}

/// The user repository. Uses the session of the request.
#[derive(Clone, Inject)]
pub(super) struct SqlUsers {
    session: Session,
}

impl SqlUsers {
    async fn by(&self, column: &str, value: &str) -> Result<Option<User>, Unexpected> {
        let sql = format!("SELECT * FROM users WHERE {column} = $1");
        let row: Option<UserRow> = self.session.query_one_as(&sql, [value.into()]).await?;
        Ok(row.map(|row| User {
            id: row.id,
            email: row.email,
            username: row.username,
            password_hash: row.password_hash,
            bio: row.bio,
            image: row.image,
        }))
    }
}

#[port]
impl UserRepository for SqlUsers {
    async fn save(&self, user: &User) -> Result<(), UserError> {
        let sql = "INSERT INTO users (id, email, username, password_hash, bio, image)
                   VALUES ($1, $2, $3, $4, $5, $6)
                   ON CONFLICT (id) DO UPDATE SET email = excluded.email,
                     username = excluded.username, password_hash = excluded.password_hash,
                     bio = excluded.bio, image = excluded.image";
        let values = [
            (&*user.id).into(),
            (&*user.email).into(),
            (&*user.username).into(),
            (&*user.password_hash).into(),
            user.bio.clone().into(),
            user.image.clone().into(),
        ];
        match self.session.execute_sql(sql, values).await {
            Ok(_) => Ok(()),
            Err(error) if error.unique_violation().is_some() => Err(UserError::Taken),
            Err(error) => Err(UserError::Unexpected(error.into())),
        }
    }

    async fn by_id(&self, id: &str) -> Result<Option<User>, Unexpected> {
        self.by("id", id).await
    }

    async fn by_email(&self, email: &str) -> Result<Option<User>, Unexpected> {
        self.by("email", email).await
    }

    async fn profile(&self, name: &str, viewer: &str) -> Result<Option<Profile>, Unexpected> {
        let sql = "SELECT username, bio, image, EXISTS (SELECT 1 FROM follows
                     WHERE follower = $2 AND followed = id) AS following
                   FROM users WHERE username = $1";
        let found = self.session.query_one_as(sql, [name.into(), viewer.into()]);
        let row: Option<ProfileRow> = found.await?;
        Ok(row.map(|row| Profile {
            username: row.username,
            bio: row.bio,
            image: row.image,
            following: row.following,
        }))
    }

    async fn follow(&self, name: &str, follower: &str, follows: bool) -> Result<(), Unexpected> {
        let sql = match follows {
            true => {
                "INSERT INTO follows (follower, followed)
                 SELECT $1, id FROM users WHERE username = $2 ON CONFLICT DO NOTHING"
            }
            false => {
                "DELETE FROM follows WHERE follower = $1
                   AND followed = (SELECT id FROM users WHERE username = $2)"
            }
        };
        let values = [follower.into(), name.into()];
        self.session.execute_sql(sql, values).await?;
        Ok(())
    }
}

/// Hashes passwords with argon2id.
#[derive(Clone, Inject)]
pub(super) struct Argon2 {
    passwords: Arc<Passwords>,
}

#[port]
impl PasswordHasher for Argon2 {
    async fn hash(&self, password: Secret<String>) -> Result<String, Unexpected> {
        self.passwords.hash_unchecked(password).await
    }

    async fn verify(
        &self,
        password: Secret<String>,
        hash: Option<String>,
    ) -> Result<bool, Unexpected> {
        let verdict = self.passwords.verify(password, hash.as_deref());
        Ok(verdict.await?.ok)
    }
}
