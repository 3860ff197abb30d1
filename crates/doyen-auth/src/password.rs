//! Passwords: hashed slowly, compared in constant time whether the user exists or not, with bounded
//! memory.
//!
//! argon2id with 19 MiB, two passes and one lane (the OWASP password storage sheet). One check
//! takes about 20 ms of a core and 19 MiB, so a flood of logins is a way to bring a service down.
//! Each concurrent check has a permit and a memory buffer of its own, and buffers are reused, so
//! hashing needs `permits` × 19 MiB however many logins arrive. Further requests wait in a bounded
//! queue; beyond that they get a 503. Buffers that have not been used for a few seconds are
//! returned to the system.
//!
//! Passwords are normalized to Unicode NFC first: the same password typed on two machines is the
//! same one. Every character counts; nothing is cut off.
//!
//! Not part of this module: counting attempts. Limit the login route, by address and by account.

mod common;
mod memory;
mod phc;
mod rules;

pub use rules::{NewPassword, PasswordRules, WeakPassword};

use std::fmt;
use std::sync::Arc;

use argon2::{Block, Params};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use doyen_core::{Secret, Unexpected, span, step_names};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use memory::Buffers;

/// Cost of a password hash, and the maximum of concurrent hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PasswordOptions {
    /// Memory in KiB. Default 19 456 (19 MiB).
    pub memory_kib: u32,
    /// Passes over the memory. Default 2.
    pub iterations: u32,
    /// Lanes. Default 1.
    pub parallelism: u32,
    /// Maximum concurrent hashes. Each has a buffer of `memory_kib`. Default: the number of cores,
    /// at most 8.
    pub permits: usize,
    /// Maximum waiting requests; further ones get a 503. Default: 16 per permit, which is about a
    /// third of a second.
    pub queue: usize,
}

/// On a machine with many cores, hashing must not claim gigabytes: 8 × 19 MiB, 400 logins a second.
const MAX_DEFAULT_PERMITS: usize = 8;

impl Default for PasswordOptions {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let permits = cores.min(MAX_DEFAULT_PERMITS);
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
    /// The cheapest options that argon2 accepts. For tests only: such hashes protect nothing.
    pub fn fast_for_tests() -> Self {
        Self {
            memory_kib: 8,
            iterations: 1,
            ..Self::default()
        }
    }
}

/// Hashes and verifies passwords.
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
/// let given = "correct horse battery staple".to_owned().into();
/// let verdict = passwords.verify(given, Some(&stored)).await.map_err(|_| "busy")?;
/// assert!(verdict.ok);
/// # Ok(())
/// # }
/// ```
pub struct Passwords {
    params: Params,
    /// A hash that no password has, of the same cost as a real one. It is checked if there is no
    /// user.
    dummy: Arc<str>,
    buffers: Arc<Buffers>,
    /// Permits for running and waiting requests together.
    admission: Arc<Semaphore>,
    /// Permits for running requests.
    running: Arc<Semaphore>,
}

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// True if the password is right.
    pub ok: bool,
    /// True if it was hashed with another cost than the current one: hash it again and store that.
    pub rehash: bool,
}

impl Passwords {
    /// Creates a hasher with these options.
    ///
    /// # Errors
    ///
    /// Returns an error if argon2 refuses the options.
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
                "at least one concurrent hash must be allowed",
            ));
        }
        let mut random = [0; 48];
        getrandom::fill(&mut random)
            .map_err(|_| BadPasswordOptions("the system has no random bytes"))?;
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
            dummy: dummy.into(),
            buffers: Arc::new(Buffers::new(params.block_count())),
            params,
            admission: Arc::new(Semaphore::new(
                options
                    .permits
                    .saturating_add(options.queue)
                    .min(Semaphore::MAX_PERMITS),
            )),
            running: Arc::new(Semaphore::new(options.permits.min(Semaphore::MAX_PERMITS))),
        })
    }

    /// Returns the hash to store, as a PHC string with its own salt and cost.
    ///
    /// # Errors
    ///
    /// Returns [`Overloaded`] as `unavailable` (503, `Retry-After`) if too many requests wait, and
    /// an error if the system has no random bytes.
    pub async fn hash(&self, password: NewPassword) -> Result<String, Unexpected> {
        self.hash_text(password.expose().to_owned().into()).await
    }

    /// Returns the hash of a password that no rule has checked: for the import of users, and for an
    /// API whose rules are its own. See [`hash`](Self::hash).
    ///
    /// # Errors
    ///
    /// As [`hash`](Self::hash), and for a password that is empty or longer than 4,096 bytes, which
    /// would match no login.
    pub async fn hash_unchecked(&self, password: Secret<String>) -> Result<String, Unexpected> {
        match rules::normal(password.expose()) {
            Some(normal) if !normal.is_empty() => self.hash_text(normal.into()).await,
            _ => Err(Unexpected::new(
                "a password must have 1 to 4,096 bytes: check it before it is hashed",
            )),
        }
    }

    async fn hash_text(&self, password: Secret<String>) -> Result<String, Unexpected> {
        let params = self.params.clone();
        let blocks = params.block_count();
        let hash = self.run(blocks, move |memory| {
            phc::hash(password.expose().as_bytes(), &params, memory)
        });
        hash.await?
    }

    /// Checks a password against the stored hash; `None` if there is no such user or no password.
    /// Both take the same time and the same path, so that a login does not reveal who has an
    /// account. A hash with another cost takes the time of that cost.
    ///
    /// # Errors
    ///
    /// Returns [`Overloaded`] as `unavailable` (503, `Retry-After`) if too many requests wait, and
    /// an error if the stored text is not a hash, or costs more memory than a login may take.
    pub async fn verify(
        &self,
        password: Secret<String>,
        stored: Option<&str>,
    ) -> Result<Verdict, Unexpected> {
        let known = stored.is_some();
        let stored = phc::Stored::parse(stored.unwrap_or(&self.dummy))?;
        let rehash = !stored.costs(&self.params);
        let verdict = self.run(stored.blocks(), move |memory| {
            // A text longer than any password is not normalized.
            let password = rules::normal(password.expose()).unwrap_or_default();
            let matches = stored.matches(password.as_bytes(), memory)?;
            let ok = matches && known && !password.is_empty();
            Ok(Verdict {
                ok,
                rehash: ok && rehash,
            })
        });
        verdict.await?
    }

    /// Runs the work on a blocking thread with a buffer of this number of blocks. The permits move
    /// into the thread: a client that disconnects does not free a core that is still busy.
    async fn run<T: Send + 'static>(
        &self,
        blocks: usize,
        work: impl FnOnce(&mut [Block]) -> T + Send + 'static,
    ) -> Result<T, Unexpected> {
        let Ok(admitted) = Arc::clone(&self.admission).try_acquire_owned() else {
            return Err(Unexpected::unavailable(Overloaded));
        };
        let turn = Arc::clone(&self.running).acquire_owned().await?;
        let buffers = Arc::clone(&self.buffers);
        let done = spawn_blocking(move || {
            let _held = (admitted, turn);
            let done = buffers.with(blocks, work);
            buffers.release_when_idle();
            done
        });
        Ok(span(step_names::PASSWORD_HASH, done).await?)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("params", &self.params)
            .finish_non_exhaustive()
    }
}

/// Too many password checks are waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overloaded;

impl fmt::Display for Overloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many password checks are waiting")
    }
}

impl std::error::Error for Overloaded {}

/// An option is out of range; the message names the range.
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
