//! cargo-nextest, which runs the tests.

use toolkit::Result;
use toolkit::process::{cargo, output, run, succeeds};

/// The version installed where there is none. A newer one that is there already is as good.
const VERSION: &str = "0.9.143";

/// Says which version is used.
pub(crate) fn find_or_install() -> Result<String> {
    if !succeeds(cargo().args(["nextest", "--version"])) {
        println!("installing cargo-nextest {VERSION}: a few minutes, once");
        // Built for a quick build, not for speed: it spends its time waiting for tests.
        run(cargo()
            .args([
                "install",
                "--quiet",
                "--locked",
                "cargo-nextest",
                "--version",
                VERSION,
            ])
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"))?;
    }
    let text = output(cargo().args(["nextest", "--version"]))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
