//! Users and the operations on them. Independent of HTTP and the database.

use std::sync::Arc;

use doyen::domain::{Caller, Id, Inject, Problem, Secret, Unexpected, port};

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// User id.
    pub id: String,
    /// Email address, in lower case.
    pub email: String,
    /// Unique name.
    pub username: String,
    /// Hash of the password.
    pub password_hash: String,
    /// Text about the user.
    pub bio: Option<String>,
    /// URL of a picture.
    pub image: Option<String>,
}

/// A user as others see it.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Unique name.
    pub username: String,
    /// Text about the user.
    pub bio: Option<String>,
    /// URL of a picture.
    pub image: Option<String>,
    /// True if the viewer follows the user.
    pub following: bool,
}

/// A user before registration.
#[derive(Debug)]
pub struct Registration {
    /// Email address.
    pub email: String,
    /// Unique name.
    pub username: String,
    /// Password.
    pub password: Secret<String>,
}

/// Changes to a user.
#[derive(Debug)]
pub struct Edit {
    /// New email address.
    pub email: Option<String>,
    /// New name.
    pub username: Option<String>,
    /// New password.
    pub password: Option<Secret<String>>,
    /// New text.
    pub bio: Option<String>,
    /// New picture.
    pub image: Option<String>,
}

/// Errors of users.
#[derive(Debug, Problem)]
pub enum UserError {
    /// The email address or the username belongs to another user.
    #[problem(invalid, detail = "email or username has already been taken")]
    Taken,
    /// The email address or the password is wrong.
    #[problem(unauthenticated, detail = "email or password is invalid")]
    WrongCredentials,
    /// There is no user of this name.
    #[problem(not_found, detail = "profile not found")]
    NoProfile,
    /// An unexpected error.
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

/// Storage for users.
#[port]
pub trait UserRepository {
    /// Stores a new user, or a changed one.
    async fn save(&self, user: &User) -> Result<(), UserError>;
    /// Returns the user with this id.
    async fn by_id(&self, id: &str) -> Result<Option<User>, Unexpected>;
    /// Returns the user with this email address.
    async fn by_email(&self, email: &str) -> Result<Option<User>, Unexpected>;
    /// Returns a profile as a user sees it.
    async fn profile(&self, name: &str, viewer: &str) -> Result<Option<Profile>, Unexpected>;
    /// Lets a user follow another one, or stop it.
    async fn follow(&self, name: &str, follower: &str, follows: bool) -> Result<(), Unexpected>;
}

/// Hashes passwords.
#[port]
pub trait PasswordHasher {
    /// Returns the hash of a password.
    async fn hash(&self, password: Secret<String>) -> Result<String, Unexpected>;
    /// Checks a password; without a hash it takes the same time.
    async fn verify(
        &self,
        password: Secret<String>,
        hash: Option<String>,
    ) -> Result<bool, Unexpected>;
}

/// Operations on users, for handlers.
#[derive(Clone, Inject)]
pub struct Users {
    repository: Arc<dyn UserRepository>,
    passwords: Arc<dyn PasswordHasher>,
    caller: Option<Caller>,
}

impl Users {
    /// Returns the id of the caller, or an empty text, which is the id of no user.
    fn me(&self) -> &str {
        self.caller.as_ref().map_or("", |caller| &caller.subject)
    }

    /// Registers a user.
    pub async fn register(&self, new: Registration) -> Result<User, UserError> {
        let user = User {
            id: Id::<User>::new().uuid().to_string(),
            email: new.email.to_lowercase(),
            username: new.username,
            password_hash: self.passwords.hash(new.password).await?,
            bio: None,
            image: None,
        };
        self.repository.save(&user).await?;
        Ok(user)
    }

    /// Returns the user with these credentials.
    pub async fn log_in(&self, email: &str, password: Secret<String>) -> Result<User, UserError> {
        let user = self.repository.by_email(&email.to_lowercase()).await?;
        let hash = user.as_ref().map(|user| user.password_hash.clone());
        let matches = self.passwords.verify(password, hash).await?;
        user.filter(|_| matches).ok_or(UserError::WrongCredentials)
    }

    /// Returns the caller.
    pub async fn current(&self) -> Result<User, UserError> {
        let user = self.repository.by_id(self.me()).await?;
        user.ok_or(UserError::WrongCredentials)
    }

    /// Changes the caller.
    pub async fn edit(&self, edit: Edit) -> Result<User, UserError> {
        let mut user = self.current().await?;
        if let Some(password) = edit.password {
            user.password_hash = self.passwords.hash(password).await?;
        }
        user.email = edit.email.map_or(user.email, |email| email.to_lowercase());
        user.username = edit.username.unwrap_or(user.username);
        user.bio = edit.bio.or(user.bio);
        user.image = edit.image.or(user.image);
        self.repository.save(&user).await?;
        Ok(user)
    }

    /// Returns a profile.
    pub async fn profile(&self, name: &str) -> Result<Profile, UserError> {
        let profile = self.repository.profile(name, self.me()).await?;
        profile.ok_or(UserError::NoProfile)
    }

    /// Follows a user, or stops following.
    pub async fn follow(&self, name: &str, follows: bool) -> Result<Profile, UserError> {
        self.repository.follow(name, self.me(), follows).await?;
        self.profile(name).await
    }
}
