//! Hashes as PHC strings (`$argon2id$v=19$m=19456,t=2,p=1$salt$hash`), computed in memory that the
//! caller provides. The library's own traits allocate it for each call.

use argon2::password_hash::phc::{Output, ParamsString, Salt};
use argon2::{Algorithm, Argon2, Block, Params, PasswordHash, Version};
use doyen_core::Unexpected;

/// Maximum memory of a stored hash, in KiB: 128 MiB. Hashes imported from other systems cost 64 MiB
/// or less; one that costs gigabytes would let each login of its owner stop the process.
const MAX_STORED_KIB: u32 = 128 << 10;

/// Maximum memory times passes of a stored hash, in KiB: 1 GiB, about a second of a core.
const MAX_STORED_WORK_KIB: u64 = 1 << 20;

/// Hashes a password with a new salt.
pub(super) fn hash(
    password: &[u8],
    params: &Params,
    memory: &mut [Block],
) -> Result<String, Unexpected> {
    let mut salt = [0; argon2::RECOMMENDED_SALT_LEN];
    getrandom::fill(&mut salt)?;
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone())
        .hash_password_into_with_memory(password, &salt, &mut output, memory)?;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(params)?,
        salt: Some(Salt::new(&salt)?),
        hash: Some(Output::new(&output)?),
    };
    Ok(hash.to_string())
}

/// A parsed stored hash.
pub(super) struct Stored {
    argon2: Argon2<'static>,
    algorithm: Algorithm,
    version: Version,
    params: Params,
    salt: Salt,
    output: Output,
}

impl Stored {
    /// Parses a PHC string.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not an argon2 hash, or if it costs too much memory.
    pub(super) fn parse(text: &str) -> Result<Self, Unexpected> {
        let hash = PasswordHash::new(text)?;
        let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
        let version = hash
            .version
            .map_or(Ok(Version::default()), Version::try_from)?;
        let params = Params::try_from(&hash)?;
        let work = u64::from(params.m_cost()) * u64::from(params.t_cost());
        if params.m_cost() > MAX_STORED_KIB || work > MAX_STORED_WORK_KIB {
            return Err(Unexpected::new(format!(
                "a stored password hash costs {} KiB of memory and {} passes; the limits are \
                 {MAX_STORED_KIB} KiB, and {MAX_STORED_WORK_KIB} KiB times passes: reset that \
                 password",
                params.m_cost(),
                params.t_cost()
            )));
        }
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(Unexpected::new(
                "a stored password hash has no salt or no output",
            ));
        };
        Ok(Self {
            argon2: Argon2::new(algorithm, version, params.clone()),
            algorithm,
            version,
            params,
            salt,
            output,
        })
    }

    /// Number of blocks of 1 KiB that checking it needs.
    pub(super) fn blocks(&self) -> usize {
        self.params.block_count()
    }

    /// True if a new hash would cost the same.
    pub(super) fn costs(&self, params: &Params) -> bool {
        let cost = |params: &Params| (params.m_cost(), params.t_cost(), params.p_cost());
        self.algorithm == Algorithm::Argon2id
            && self.version == Version::V0x13
            && cost(&self.params) == cost(params)
    }

    /// Compares a password with the hash, in constant time.
    pub(super) fn matches(
        &self,
        password: &[u8],
        memory: &mut [Block],
    ) -> Result<bool, Unexpected> {
        let mut buffer = [0; Output::MAX_LENGTH];
        let output = &mut buffer[..self.output.len()];
        self.argon2
            .hash_password_into_with_memory(password, &self.salt, output, memory)?;
        // `Output` compares in constant time.
        Ok(Output::new(output)? == self.output)
    }
}
