//! Users: registration, login, the current user, and profiles that users follow.

use std::sync::Arc;

use doyen::auth::{NewPassword, Passwords, Tokens};
use doyen::data::sea_orm::DbErr;
use doyen::data::{Row, Violation as _};
use doyen::prelude::*;
use doyen::schema::rule::Broken;

use super::Viewer;

pub(super) fn routes() -> Routes {
    routes![register, log_in, current, update, profile, follow, unfollow].at("/api")
}

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

/// A body with a user.
#[derive(Output)]
struct UserBody {
    user: UserView,
}

/// The current user and a token.
#[derive(Output)]
struct UserView {
    email: String,
    token: String,
    username: String,
    bio: Option<String>,
    image: Option<String>,
}

/// A body with a profile.
#[derive(Output)]
struct ProfileBody {
    profile: Profile,
}

/// A user as others see it.
#[derive(Output, Row)]
pub(super) struct Profile {
    pub(super) username: String,
    pub(super) bio: Option<String>,
    pub(super) image: Option<String>,
    /// True if the caller follows the user.
    pub(super) following: bool,
}

/// A new user.
#[derive(Input)]
struct NewUser {
    #[validate(not_blank, length(max = 100))]
    username: String,
    #[validate(email)]
    email: String,
    #[validate(custom = uncommon)]
    password: Secret<String>,
}

/// The credentials of a user.
#[derive(Input)]
struct Credentials {
    email: String,
    password: Secret<String>,
}

/// Changes to the current user. Fields that are missing stay as they are.
#[derive(Input)]
struct Changes {
    #[validate(not_blank, length(max = 100))]
    username: Option<String>,
    #[validate(email)]
    email: Option<String>,
    #[validate(custom = uncommon)]
    password: Option<Secret<String>>,
    bio: Option<String>,
    #[validate(url)]
    image: Option<String>,
}

/// Rejects passwords that are short or common.
fn uncommon(password: &Secret<String>) -> Result<(), Broken> {
    let parsed = password.expose().parse::<NewPassword>();
    parsed
        .map(|_| ())
        .map_err(|weak| Broken::new(weak.code(), weak.to_string()))
}

/// Errors of users.
#[derive(Debug, Problem)]
enum UserError {
    /// The email address or the username belongs to another user.
    #[problem(invalid, detail = "email or username has already been taken")]
    Taken,
    /// The email address or the password is wrong.
    #[problem(unauthenticated, detail = "email or password is invalid")]
    WrongCredentials,
    /// There is no user of this name.
    #[problem(not_found, detail = "profile not found")]
    NoProfile,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

impl From<DbErr> for UserError {
    fn from(error: DbErr) -> Self {
        match error.unique_violation() {
            Some(_) => Self::Taken,
            None => Self::Unexpected(error.into()),
        }
    }
}

/// Users of this request.
#[derive(Clone, Inject)]
struct Users {
    session: Session,
    passwords: Arc<Passwords>,
    tokens: Arc<Tokens>,
    viewer: Viewer,
}

impl Users {
    async fn by(&self, column: &str, value: &str) -> Result<Option<UserRow>, DbErr> {
        let sql = format!("SELECT * FROM users WHERE {column} = $1");
        self.session.query_one_as(&sql, [value.into()]).await
    }

    fn show(&self, user: UserRow) -> Result<UserBody, Unexpected> {
        let user = UserView {
            token: self.tokens.issue(&Caller::new(&user.id))?.token,
            email: user.email,
            username: user.username,
            bio: user.bio,
            image: user.image,
        };
        Ok(UserBody { user })
    }

    async fn me(&self) -> Result<NoStore<UserBody>, UserError> {
        let row = self.by("id", &self.viewer.0).await?;
        let row = row.ok_or(UserError::WrongCredentials)?;
        Ok(NoStore(self.show(row)?))
    }

    async fn profile(&self, name: &str) -> Result<Json<ProfileBody>, UserError> {
        let sql = "SELECT username, bio, image, EXISTS (SELECT 1 FROM follows
                     WHERE follower = $2 AND followed = id) AS following
                   FROM users WHERE username = $1";
        let values = [name.into(), (&*self.viewer.0).into()];
        let found = self.session.query_one_as(sql, values).await?;
        let profile = found.ok_or(UserError::NoProfile)?;
        Ok(Json(ProfileBody { profile }))
    }
}

/// Register a user
#[post("/users", allow = anyone)]
async fn register(users: Users, #[body] user: NewUser) -> Result<Created<UserBody>, UserError> {
    let id = Id::<UserRow>::new().uuid().to_string();
    let hash = users.passwords.hash_unchecked(user.password).await?;
    let sql = "INSERT INTO users (id, email, username, password_hash) VALUES ($1, $2, $3, $4)";
    let email = user.email.to_lowercase();
    let values = [
        (&*id).into(),
        email.into(),
        user.username.into(),
        hash.into(),
    ];
    users.session.execute_sql(sql, values).await?;
    let row = users.by("id", &id).await?.ok_or(UserError::NoProfile)?;
    Ok(Created(users.show(row)?))
}

/// Log in
#[post("/users/login", allow = anyone)]
async fn log_in(users: Users, #[body] user: Credentials) -> Result<NoStore<UserBody>, UserError> {
    let row = users.by("email", &user.email.to_lowercase()).await?;
    let hash = row.as_ref().map(|row| row.password_hash.as_str());
    // An unknown address takes as long as a wrong password.
    let verdict = users.passwords.verify(user.password, hash).await?;
    let row = row.filter(|_| verdict.ok);
    let row = row.ok_or(UserError::WrongCredentials)?;
    Ok(NoStore(users.show(row)?))
}

/// Get the current user
#[get("/user", allow = signed_in)]
async fn current(users: Users) -> Result<NoStore<UserBody>, UserError> {
    users.me().await
}

/// Update the current user
#[put("/user", allow = signed_in)]
async fn update(users: Users, #[body] user: Changes) -> Result<NoStore<UserBody>, UserError> {
    let hash = match user.password {
        Some(password) => Some(users.passwords.hash_unchecked(password).await?),
        None => None,
    };
    let sql = "UPDATE users SET email = coalesce($2, email), username = coalesce($3, username),
                 password_hash = coalesce($4, password_hash), bio = coalesce($5, bio),
                 image = coalesce($6, image)
               WHERE id = $1";
    let values = [
        (&*users.viewer.0).into(),
        user.email.map(|email| email.to_lowercase()).into(),
        user.username.into(),
        hash.into(),
        user.bio.into(),
        user.image.into(),
    ];
    users.session.execute_sql(sql, values).await?;
    users.me().await
}

/// Get a profile
#[get("/profiles/{username}", allow = anyone)]
async fn profile(users: Users, username: String) -> Result<Json<ProfileBody>, UserError> {
    users.profile(&username).await
}

/// Follow a user
#[post("/profiles/{username}/follow", allow = signed_in)]
async fn follow(users: Users, username: String) -> Result<Json<ProfileBody>, UserError> {
    let sql = "INSERT INTO follows (follower, followed)
               SELECT $1, id FROM users WHERE username = $2 ON CONFLICT DO NOTHING";
    let values = [(&*users.viewer.0).into(), (&*username).into()];
    users.session.execute_sql(sql, values).await?;
    users.profile(&username).await
}

/// Stop following a user
#[delete("/profiles/{username}/follow", allow = signed_in)]
async fn unfollow(users: Users, username: String) -> Result<Json<ProfileBody>, UserError> {
    let sql = "DELETE FROM follows WHERE follower = $1
                 AND followed = (SELECT id FROM users WHERE username = $2)";
    let values = [(&*users.viewer.0).into(), (&*username).into()];
    users.session.execute_sql(sql, values).await?;
    users.profile(&username).await
}
