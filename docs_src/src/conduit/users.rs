//! Registration, login and the current user, with the bodies of the old API.

use std::sync::Arc;

use doyen::auth::{PasswordRules, Passwords, Tokens};
use doyen::data::Row;
use doyen::domain::inject::Context;
use doyen::prelude::*;
use doyen::schema::rule::Broken;

pub(super) fn routes() -> Routes {
    routes![register, log_in, current, update].at("/api")
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

/// The current user and its token.
#[derive(Output)]
struct UserView {
    email: String,
    token: String,
    username: String,
    bio: Option<String>,
    image: Option<String>,
}

/// A registration.
#[derive(Input)]
struct Registration {
    user: NewUser,
}

/// A new user.
#[derive(Input)]
struct NewUser {
    #[validate(not_blank, message = "can't be blank")]
    username: String,
    #[validate(email, message = "is invalid")]
    email: String,
    #[validate(async = acceptable)]
    password: Secret<String>,
}

/// Applies the settings `auth.password`, with the messages of the old API.
async fn acceptable(password: &Secret<String>, cx: &Context) -> Result<(), Broken> {
    let rules = cx.get::<Arc<PasswordRules>>().await.ok();
    let rules = rules.as_deref().copied().unwrap_or_default();
    let checked = rules.check(password.expose());
    checked.map(|_| ()).map_err(|_| {
        let message = format!("is too short (minimum is {} characters)", rules.min_chars);
        Broken::new("length", message)
    })
}

/// A login.
#[derive(Input)]
struct Login {
    user: Credentials,
}

/// The credentials of a user.
#[derive(Input)]
struct Credentials {
    email: String,
    password: Secret<String>,
}

/// A change of the current user.
#[derive(Input)]
struct Update {
    user: Changes,
}

/// Fields that are missing stay as they are.
#[derive(Input)]
struct Changes {
    bio: Option<String>,
    image: Option<String>,
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
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Users of this request.
#[derive(Clone, Inject)]
struct Users {
    session: Session,
    passwords: Arc<Passwords>,
    tokens: Arc<Tokens>,
}

impl Users {
    async fn by(&self, column: &str, value: &str) -> Result<Option<UserRow>, Unexpected> {
        let sql = format!(
            "SELECT id, email, username, password_hash, bio, image FROM users WHERE {column} = $1"
        );
        let mut rows = self.session.query_as(&sql, [value.into()]).await?;
        Ok(rows.pop())
    }

    fn show(&self, row: UserRow) -> Result<UserBody, Unexpected> {
        let token = self.tokens.issue(&Caller::new(&row.id))?.token;
        let UserRow {
            email,
            username,
            bio,
            image,
            ..
        } = row;
        Ok(UserBody {
            user: UserView {
                email,
                token,
                username,
                bio,
                image,
            },
        })
    }
}

/// Marks the ids of users.
struct User;

impl doyen::domain::id::Named for User {
    const PREFIX: &'static str = "usr";
}

/// Register a user
#[post("/users", allow = anyone)]
async fn register(
    users: Users,
    Json(body): Json<Registration>,
) -> Result<Created<UserBody>, UserError> {
    let new = body.user;
    // The rules were checked, and an import of old users may break them.
    let hash = users.passwords.hash_unchecked(new.password).await?;
    let id = Id::<User>::new().to_string();
    let sql = "INSERT INTO users (id, email, username, password_hash) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    let values = [
        id.as_str().into(),
        new.email.to_lowercase().into(),
        new.username.into(),
        hash.into(),
    ];
    if users
        .session
        .execute_sql(sql, values)
        .await
        .map_err(Unexpected::from)?
        == 0
    {
        return Err(UserError::Taken);
    }
    let row = users.by("id", &id).await?.ok_or(UserError::Taken)?;
    Ok(Created(users.show(row)?))
}

/// Log in
#[post("/users/login", allow = anyone)]
async fn log_in(users: Users, Json(body): Json<Login>) -> Result<NoStore<UserBody>, UserError> {
    let given = body.user;
    let user = users.by("email", &given.email.to_lowercase()).await?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    // An unknown address takes as long as a wrong password.
    let verdict = users.passwords.verify(given.password, hash).await?;
    match user.filter(|_| verdict.ok) {
        Some(user) => Ok(NoStore(users.show(user)?)),
        None => Err(UserError::WrongCredentials),
    }
}

/// Get the current user
#[get("/user", allow = signed_in)]
async fn current(me: Caller, users: Users) -> Result<NoStore<UserBody>, UserError> {
    let user = users.by("id", &me.subject).await?;
    let user = user.ok_or(UserError::WrongCredentials)?;
    Ok(NoStore(users.show(user)?))
}

/// Update the current user
#[put("/user", allow = signed_in)]
async fn update(
    me: Caller,
    users: Users,
    Json(body): Json<Update>,
) -> Result<NoStore<UserBody>, UserError> {
    let sql = "UPDATE users SET bio = coalesce($2, bio), image = coalesce($3, image) WHERE id = $1";
    let values = [
        (&*me.subject).into(),
        body.user.bio.into(),
        body.user.image.into(),
    ];
    users
        .session
        .execute_sql(sql, values)
        .await
        .map_err(Unexpected::from)?;
    let user = users.by("id", &me.subject).await?;
    let user = user.ok_or(UserError::WrongCredentials)?;
    Ok(NoStore(users.show(user)?))
}
