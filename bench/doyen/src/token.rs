//! The caller of the race: a key pair, and a token that every equipped contestant accepts.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doyen::auth::{AlgorithmName, KeyRing, Seed, TokenOptions, Tokens};
use doyen::domain::{Caller, SystemClock};

/// Who issues the tokens of the race.
pub const ISSUER: &str = "https://bench.example";
/// Whom they are for.
pub const AUDIENCE: &str = "bench";

/// The bytes before the 32 bytes of a public Ed25519 key in its DER form (RFC 8410 section 4).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// Writes into this folder `seed` (for Doyen's `auth.signing_key`), `public.pem`, `token-ed25519`,
/// and `token`, which differs in one word: it calls the algorithm `EdDSA`, its older name, the only
/// one that most libraries know. Both are valid for a day.
///
/// # Errors
///
/// The files cannot be written.
pub fn write(folder: &Path) -> Result<(), Box<dyn Error>> {
    let seed = Seed::generate()?;
    let ring = KeyRing::new(&seed.deriver("signing"))?;
    let mut der = SPKI.to_vec();
    der.extend(URL_SAFE_NO_PAD.decode(ring.public_key())?);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        STANDARD.encode(der)
    );
    fs::create_dir_all(folder)?;
    fs::write(folder.join("seed"), seed.to_text().expose())?;
    fs::write(folder.join("public.pem"), pem)?;
    fs::write(folder.join("token-ed25519"), issue(ring)?)?;
    let older = KeyRing::new(&seed.deriver("signing"))?.algorithm_name(AlgorithmName::EdDsa);
    fs::write(folder.join("token"), issue(older)?)?;
    Ok(())
}

fn issue(ring: KeyRing) -> Result<String, Box<dyn Error>> {
    let mut options = TokenOptions::new(ISSUER, AUDIENCE);
    options.lifetime = Duration::from_secs(86_400);
    let tokens = Tokens::new(ring, options, Arc::new(SystemClock))?;
    let mut caller = Caller::new("user-1");
    caller.scopes = vec!["tickets:read".into(), "tickets:write".into()];
    let issued = tokens
        .issue(&caller)
        .map_err(|error| error.error().to_string())?;
    Ok(issued.token)
}
