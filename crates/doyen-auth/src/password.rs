//! Passwords: hashed slowly, compared in the same time whether the user exists or not, and never more at once than the machine bears.
//!
//! argon2id with 19 MiB, two passes and one lane (the OWASP password storage sheet). One check takes about 20 ms of a core and 19 MiB, so a
//! flood of logins is a way to bring a service down: the work is done on blocking threads, a few at a time; some more wait; the rest are
//! told to come back later.
//!
//! Passwords are put into Unicode form NFC first: the same password typed on two machines is the same one. Every character counts; nothing
//! is cut off.
//!
//! What it does not do: it counts no attempts and locks nobody out. Limit the login route, by address and by account.

mod common;
mod rules;

pub use rules::{NewPassword, WeakPassword};

use std::fmt;
use std::sync::Arc;

use argon2::password_hash::Error as HashError;
use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use doyen_core::{Secret, Unexpected};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The cost of a password, and how many are worked on at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordOptions {
    /// Memory in KiB. Default 19 456 (19 MiB).
    pub memory_kib: u32,
    /// Passes over the memory. Default 2.
    pub iterations: u32,
    /// Lanes. Default 1.
    pub parallelism: u32,
    /// How many are worked on at once. Default: the number of cores.
    pub permits: usize,
    /// How many may wait beside them. Default: 16 for each permit, which is about a third of a second.
    pub queue: usize,
}

impl Default for PasswordOptions {
    fn default() -> Self {
        let permits = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            permits,
            queue: 16 * permits,
        }
    }
}

impl PasswordOptions {
    /// So cheap that tests do not wait, and so cheap that a thief would not either. For tests alone.
    pub fn fast_for_tests() -> Self {
        Self {
            memory_kib: 8,
            iterations: 1,
            ..Self::default()
        }
    }
}

/// Hashes and checks passwords.
///
/// ```
/// use doyen_auth::{NewPassword, PasswordOptions, Passwords};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let passwords = Passwords::new(PasswordOptions::fast_for_tests())?;
/// let new: NewPassword = "correct horse battery staple".parse()?;
/// let stored = passwords.hash(new).await.map_err(|_| "busy")?;
///
/// let verdict = passwords.verify("correct horse battery staple".to_owned().into(), Some(&stored)).await.map_err(|_| "busy")?;
/// assert!(verdict.ok);
/// # Ok(())
/// # }
/// ```
pub struct Passwords {
    params: Params,
    /// A hash that no password has, of the same cost as a real one: checked when there is no user.
    dummy: Arc<str>,
    /// Room for those who work and those who wait.
    room: Arc<Semaphore>,
    /// Room for those who work.
    work: Arc<Semaphore>,
}

/// What came out of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The password is the user's.
    pub ok: bool,
    /// It is, but it was hashed at another cost than today's: hash it again and store that.
    pub rehash: bool,
}

impl Passwords {
    /// With these options.
    ///
    /// # Errors
    ///
    /// argon2 can not work with them.
    pub fn new(options: PasswordOptions) -> Result<Self, BadPasswordOptions> {
        let params = Params::new(
            options.memory_kib,
            options.iterations,
            options.parallelism,
            None,
        )
        .map_err(|_| {
            BadPasswordOptions(
                "memory must be at least 8 KiB for each lane, passes and lanes at least 1",
            )
        })?;
        if options.permits == 0 {
            return Err(BadPasswordOptions(
                "at least one password must be worked on at once",
            ));
        }
        let mut random = [0; 48];
        getrandom::fill(&mut random)
            .map_err(|_| BadPasswordOptions("the system gives no random bytes"))?;
        let (salt, hash) = random.split_at(16);
        let dummy = format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            options.memory_kib,
            options.iterations,
            options.parallelism,
            STANDARD_NO_PAD.encode(salt),
            STANDARD_NO_PAD.encode(hash)
        );
        Ok(Self {
            params,
            dummy: dummy.into(),
            room: Arc::new(Semaphore::new(
                options
                    .permits
                    .saturating_add(options.queue)
                    .min(Semaphore::MAX_PERMITS),
            )),
            work: Arc::new(Semaphore::new(options.permits.min(Semaphore::MAX_PERMITS))),
        })
    }

    /// The hash to store, as a PHC string with its own salt and cost.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] as `unavailable` (503, `Retry-After`); the system has no random bytes.
    pub async fn hash(&self, password: NewPassword) -> Result<String, Unexpected> {
        let argon2 = self.argon2();
        let hash = self
            .run(move || {
                argon2
                    .hash_password(password.expose().as_bytes())
                    .map(|hash| hash.to_string())
            })
            .await?;
        Ok(hash?)
    }

    /// Checks a password against the stored hash; `None` when there is no such user, or no password of theirs. Both take the same time and
    /// the same path, so that a login does not tell who has an account. A hash from a time with another cost takes that cost.
    ///
    /// # Errors
    ///
    /// [`Overloaded`] as `unavailable` (503, `Retry-After`); the stored text is no hash.
    pub async fn verify(
        &self,
        password: Secret<String>,
        stored: Option<&str>,
    ) -> Result<Verdict, Unexpected> {
        let known = stored.is_some();
        let stored: Arc<str> = stored.map_or_else(|| Arc::clone(&self.dummy), Arc::from);
        let argon2 = self.argon2();
        let params = self.params.clone();
        let verdict = self.run(move || {
            // What is longer than any password can be is not worth putting into normal form.
            let password = rules::normal(password.expose()).unwrap_or_default();
            let hash = PasswordHash::new(&stored)?;
            let ok = match argon2.verify_password(password.as_bytes(), &hash) {
                Ok(()) => known && !password.is_empty(),
                Err(HashError::PasswordInvalid) => false,
                Err(error) => return Err(error),
            };
            Ok(Verdict {
                ok,
                rehash: ok && !is_current(&hash, &params),
            })
        });
        Ok(verdict.await??)
    }

    fn argon2(&self) -> Argon2<'static> {
        Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone())
    }

    /// Does it on a blocking thread when it is its turn. The permit goes along: a client that leaves does not free a core that is still busy.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Unexpected> {
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            return Err(Unexpected::unavailable(Overloaded));
        };
        let turn = Arc::clone(&self.work).acquire_owned().await?;
        let done = spawn_blocking(move || {
            let _held = (room, turn);
            work()
        });
        Ok(done.await?)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

fn is_current(hash: &PasswordHash, params: &Params) -> bool {
    let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
    hash.algorithm == Algorithm::Argon2id.ident()
        && hash.version == Some(Version::V0x13.into())
        && Params::try_from(hash).is_ok_and(|stored| cost(&stored) == cost(params))
}

/// More passwords wait to be checked than the service takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overloaded;

impl fmt::Display for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many passwords wait to be checked")
    }
}

impl std::error::Error for Overloaded {}

/// An option is out of its range; the message says what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPasswordOptions(&'static str);

impl fmt::Display for BadPasswordOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for BadPasswordOptions {}

#[cfg(test)]
mod tests;
