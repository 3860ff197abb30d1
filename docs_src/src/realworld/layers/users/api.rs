//! HTTP routes for users and profiles.

use std::sync::Arc;

use doyen::auth::{NewPassword, Tokens};
use doyen::prelude::*;
use doyen::schema::rule::Broken;

use super::domain::{Edit, Profile, Registration, User, UserError, Users};

pub(super) fn routes() -> Routes {
    routes![register, log_in, current, update, profile, follow, unfollow].at("/api")
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
    profile: ProfileView,
}

/// A user as others see it.
#[derive(Output)]
#[output(from = Profile)]
struct ProfileView {
    username: String,
    bio: Option<String>,
    image: Option<String>,
    /// True if the caller follows the user.
    following: bool,
}

/// A new user.
#[derive(Input)]
#[input(into = Registration)]
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
#[input(into = Edit)]
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

/// Users of this request, and the tokens that they get.
#[derive(Clone, Inject)]
struct Accounts {
    users: Users,
    tokens: Arc<Tokens>,
}

impl Accounts {
    fn show(&self, user: User) -> Result<UserBody, UserError> {
        let user = UserView {
            token: self.tokens.issue(&Caller::new(&user.id))?.token,
            email: user.email,
            username: user.username,
            bio: user.bio,
            image: user.image,
        };
        Ok(UserBody { user })
    }
}

/// Register a user
#[post("/users", allow = anyone)]
async fn register(
    accounts: Accounts,
    #[body] user: NewUser,
) -> Result<Created<UserBody>, UserError> {
    let user = accounts.users.register(user.into()).await?;
    Ok(Created(accounts.show(user)?))
}

/// Log in
#[post("/users/login", allow = anyone)]
async fn log_in(
    accounts: Accounts,
    #[body] user: Credentials,
) -> Result<NoStore<UserBody>, UserError> {
    let user = accounts.users.log_in(&user.email, user.password).await?;
    Ok(NoStore(accounts.show(user)?))
}

/// Get the current user
#[get("/user", allow = signed_in)]
async fn current(accounts: Accounts) -> Result<NoStore<UserBody>, UserError> {
    let user = accounts.users.current().await?;
    Ok(NoStore(accounts.show(user)?))
}

/// Update the current user
#[put("/user", allow = signed_in)]
async fn update(accounts: Accounts, #[body] user: Changes) -> Result<NoStore<UserBody>, UserError> {
    let user = accounts.users.edit(user.into()).await?;
    Ok(NoStore(accounts.show(user)?))
}

/// Get a profile
#[get("/profiles/{username}", allow = anyone)]
async fn profile(users: Users, username: String) -> Result<Json<ProfileBody>, UserError> {
    let profile = users.profile(&username).await?.into();
    Ok(Json(ProfileBody { profile }))
}

/// Follow a user
#[post("/profiles/{username}/follow", allow = signed_in)]
async fn follow(users: Users, username: String) -> Result<Json<ProfileBody>, UserError> {
    let profile = users.follow(&username, true).await?.into();
    Ok(Json(ProfileBody { profile }))
}

/// Stop following a user
#[delete("/profiles/{username}/follow", allow = signed_in)]
async fn unfollow(users: Users, username: String) -> Result<Json<ProfileBody>, UserError> {
    let profile = users.follow(&username, false).await?.into();
    Ok(Json(ProfileBody { profile }))
}
