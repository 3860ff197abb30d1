//! The root secret of an application.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::hkdf;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doyen_core::Secret;

/// 32 random bytes, from which all keys are derived. It is never printed.
///
/// As text (in a setting or a file) it is base64url: 43 characters.
///
/// ```
/// use doyen_secret::Seed;
///
/// let seed = Seed::generate()?;
/// let same = Seed::parse(seed.to_text().expose())?;
/// assert_eq!(seed.derive("cursors"), same.derive("cursors"));
/// assert_ne!(seed.derive("cursors"), seed.derive("links"));
/// # Ok::<(), doyen_secret::BadSeed>(())
/// ```
#[derive(Clone)]
pub struct Seed([u8; 32]);

impl Seed {
    /// Creates a random seed.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no random bytes.
    pub fn generate() -> Result<Self, BadSeed> {
        let mut bytes = [0; 32];
        // A generated seed is never refused later, not even once in a million times.
        while !looks_random(&URL_SAFE_NO_PAD.encode(bytes), &bytes) {
            getrandom::fill(&mut bytes).map_err(|_| BadSeed::NoRandom)?;
        }
        Ok(Self(bytes))
    }

    /// Parses a seed.
    ///
    /// # Errors
    ///
    /// Returns an error if the text is not 32 bytes in base64url, or too regular to be random. The
    /// message never contains the value.
    pub fn parse(text: &str) -> Result<Self, BadSeed> {
        parse_key(text)
            .filter(|bytes| looks_random(text, bytes))
            .map(Self)
            .ok_or(BadSeed::Weak)
    }

    /// Returns the seed in this file, or `None` if there is no such file.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or does not hold a seed.
    pub fn load(path: impl AsRef<Path>) -> Result<Option<Self>, BadSeed> {
        let path = path.as_ref();
        match read(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(BadSeed::File {
                path: path.to_owned(),
                cause,
            }),
            Ok(text) => Self::in_file(path, &text).map(Some),
        }
    }

    /// Writes the seed to a new file that only its owner can read (0600), and returns the seed that
    /// the file then holds: another one if another process created the file first. The file
    /// appears complete or not at all.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be written, or if it exists and does not hold a seed.
    pub fn store(&self, path: impl AsRef<Path>) -> Result<Self, BadSeed> {
        let path = path.as_ref();
        let failed = |cause| BadSeed::File {
            path: path.to_owned(),
            cause,
        };
        create(path, self).map_err(failed)?;
        Self::in_file(path, &read(path).map_err(failed)?)
    }

    /// Returns the seed in this file, and writes a new one to it first if there is no such file.
    /// For development: in production the seed is a setting.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or written, or does not hold a seed.
    pub fn load_or_create(path: impl AsRef<Path>) -> Result<Self, BadSeed> {
        let path = path.as_ref();
        match Self::load(path)? {
            Some(seed) => Ok(seed),
            None => Self::generate()?.store(path),
        }
    }

    fn in_file(path: &Path, text: &str) -> Result<Self, BadSeed> {
        Self::parse(text.trim_end()).map_err(|_| BadSeed::Content {
            path: path.to_owned(),
        })
    }

    /// Returns the seed as text.
    pub fn to_text(&self) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0))
    }

    /// Derives a key for another use, such as signing cursors. The same label gives the same key;
    /// without the seed, keys of different labels are unrelated (HKDF with SHA-256, RFC 5869).
    pub fn derive(&self, label: &str) -> [u8; 32] {
        let salt = hkdf::Salt::new(hkdf::HKDF_SHA256, b"doyen/seed/v1");
        let mut key = [0; 32];
        let info = [label.as_bytes()];
        let filled = salt
            .extract(&self.0)
            .expand(&info, hkdf::HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut key));
        // Both steps fail only for more than 255 blocks; this is one.
        debug_assert!(filled.is_ok());
        key
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Refuses seeds that are not random. In random bytes each of these is rarer than one in a hundred
/// thousand:
///
/// - text as the bytes: all of them printable;
/// - bytes that count up or down by the same step;
/// - text as the encoding: no capital or no small letter, or mostly runs of one kind of character.
fn looks_random(text: &str, bytes: &[u8; 32]) -> bool {
    let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
    let step = |pair: &[u8]| pair[1].wrapping_sub(pair[0]);
    let regular = bytes
        .windows(3)
        .all(|three| step(&three[..2]) == step(&three[1..]));
    let kind = |c: u8| match c {
        b'a'..=b'z' => 0,
        b'A'..=b'Z' => 1,
        b'0'..=b'9' => 2,
        _ => 3,
    };
    let kinds: Vec<u8> = text.bytes().map(kind).collect();
    let runs = kinds.chunk_by(PartialEq::eq).map(<[u8]>::len);
    // The mean is 7 of 43 characters.
    let in_runs: usize = runs.filter(|run| *run >= 4).sum();
    let words = !kinds.contains(&0) || !kinds.contains(&1) || in_runs >= 32;
    !printable && !regular && !words
}

/// Parses 32 bytes in base64url. Returns `None` if they cannot be random: fewer than 16 different
/// values among 32 random bytes do not occur.
pub fn parse_key(text: &str) -> Option<[u8; 32]> {
    let bytes: [u8; 32] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let mut sorted = bytes;
    sorted.sort_unstable();
    let different = 1 + sorted.windows(2).filter(|pair| pair[0] != pair[1]).count();
    (different >= 16).then_some(bytes)
}

fn read(path: &Path) -> io::Result<String> {
    let text = fs::read_to_string(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            tracing::warn!(path = %path.display(), "others can read this key file; `chmod 600` it");
        }
    }
    Ok(text)
}

/// Writes the whole file under another name and then links it to its own, which is atomic and fails
/// if the name exists.
fn create(path: &Path, seed: &Seed) -> io::Result<()> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::create_dir_all(folder)?;
    }
    let mut unique = [0; 8];
    getrandom::fill(&mut unique).map_err(|_| io::Error::other("no random bytes"))?;
    let mut draft = path.as_os_str().to_owned();
    draft.push(format!(".{:016x}", u64::from_le_bytes(unique)));
    let draft = PathBuf::from(draft);
    let written = write_private(&draft, seed).and_then(|()| fs::hard_link(&draft, path));
    _ = fs::remove_file(&draft);
    match written {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn write_private(path: &Path, seed: &Seed) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    writeln!(file, "{}", seed.to_text().expose())?;
    file.sync_all()
}

/// An error of reading or writing a seed.
#[derive(Debug)]
#[non_exhaustive]
pub enum BadSeed {
    /// The text is not a seed, or a weak one.
    Weak,
    /// The system has no random bytes.
    NoRandom,
    /// The file cannot be read or written.
    File {
        /// The path.
        path: PathBuf,
        /// The cause.
        cause: io::Error,
    },
    /// The file contains something else.
    Content {
        /// The path.
        path: PathBuf,
    },
}

impl fmt::Display for BadSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadSeed::Weak => f.write_str("must be 32 random bytes in base64url (43 characters, no padding), not a word or a pattern"),
            BadSeed::NoRandom => f.write_str("the system gives no random bytes"),
            BadSeed::File { path, .. } => write!(f, "the key file {} cannot be read or written", path.display()),
            BadSeed::Content { path } => {
                write!(f, "the key file {} does not hold 32 random bytes in base64url; delete it and a new one is made", path.display())
            }
        }
    }
}

impl std::error::Error for BadSeed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            BadSeed::File { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        std::env::temp_dir().join(format!("doyen-seed-{}", doyen_core::RequestId::new()))
    }

    #[test]
    fn weak_text_is_refused_and_not_repeated() {
        let zeros = URL_SAFE_NO_PAD.encode([0; 32]);
        let pattern = URL_SAFE_NO_PAD.encode(b"changemechangemechangemechangeme");
        let short = URL_SAFE_NO_PAD.encode([7; 31]);
        let mut drawn = [0; 31];
        getrandom::fill(&mut drawn).unwrap();
        let drawn_short = URL_SAFE_NO_PAD.encode(drawn);
        let counted = URL_SAFE_NO_PAD.encode(std::array::from_fn::<u8, 32, _>(|n| n as u8));
        let backwards =
            URL_SAFE_NO_PAD.encode(std::array::from_fn::<u8, 32, _>(|n| 250 - 7 * n as u8));
        let sentence = URL_SAFE_NO_PAD.encode(b"correct horse battery staple 123");
        for text in [
            "",
            "secret",
            &zeros,
            &pattern,
            &short,
            &drawn_short,
            &counted,
            &backwards,
            &sentence,
            "the-quick-brown-fox-jumps-over-the-lazy-dog",
            "CorrectHorseBatteryStapleCorrectHorseBatte0",
            "CORRECT_HORSE_BATTERY_STAPLE_CORRECT_HORSE_",
            "0123456789012345678901234567890123456789012",
            "5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5a0",
            &format!("{}=", Seed::generate().unwrap().to_text().expose()),
        ] {
            let error = Seed::parse(text).unwrap_err();
            assert!(matches!(error, BadSeed::Weak), "{text}");
            assert!(text.is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn generated_seeds_are_accepted() {
        for _ in 0..2_000 {
            let text = Seed::generate().unwrap().to_text();
            assert!(Seed::parse(text.expose()).is_ok(), "{}", text.expose());
        }
    }

    #[test]
    fn a_seed_never_prints() {
        let seed = Seed::generate().unwrap();
        assert_eq!(format!("{seed:?}"), "***");
    }

    #[test]
    fn the_file_is_private_and_the_same_for_concurrent_starts() {
        let folder = folder();
        let path = folder.join("deep/dev.key");
        let seeds: Vec<Seed> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| Seed::load_or_create(&path).unwrap()))
                .collect();
            starts
                .into_iter()
                .map(|start| start.join().unwrap())
                .collect()
        });
        assert!(seeds.iter().all(|seed| seed.0 == seeds[0].0));
        assert_eq!(
            fs::read_dir(path.parent().unwrap()).unwrap().count(),
            1,
            "no drafts are left"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_with_something_else_is_named() {
        let folder = folder();
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("dev.key");
        fs::write(&path, "hello\n").unwrap();
        let error = Seed::load_or_create(&path).unwrap_err();
        assert!(error.to_string().contains("dev.key"), "{error}");
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "hello\n",
            "it is left alone"
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
