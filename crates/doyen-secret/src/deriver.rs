//! Keys below one purpose.

use std::fmt;

use crate::Seed;

/// Derives keys for one purpose. It is never printed.
///
/// ```
/// use doyen_secret::Seed;
///
/// let seed = Seed::generate()?;
/// let signing = seed.deriver("signing");
/// assert_eq!(signing.derive("ed25519/1"), seed.derive("signing/ed25519/1"));
/// # Ok::<(), doyen_secret::BadSeed>(())
/// ```
#[derive(Clone)]
pub struct KeyDeriver {
    seed: Seed,
    purpose: String,
}

impl Seed {
    /// Returns a deriver whose labels all begin with `purpose/`.
    pub fn deriver(&self, purpose: &str) -> KeyDeriver {
        KeyDeriver {
            seed: self.clone(),
            purpose: purpose.to_owned(),
        }
    }
}

impl KeyDeriver {
    /// Returns the key with this label.
    pub fn derive(&self, label: &str) -> [u8; 32] {
        self.seed.derive(&format!("{}/{label}", self.purpose))
    }
}

impl fmt::Debug for KeyDeriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyDeriver")
            .field("purpose", &self.purpose)
            .finish_non_exhaustive()
    }
}
