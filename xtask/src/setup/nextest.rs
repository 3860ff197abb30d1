//! cargo-nextest, which runs the tests.

use toolkit::Result;
use toolkit::process::{cargo, output, run, succeeds};

/// The version that is installed if there is none. An installed newer one is used as well.
const VERSION: &str = "0.9.143";

/// Returns the version in use.
pub(crate) fn find_or_install() -> Result<String> {
    if !succeeds(cargo().args(["nextest", "--version"])) {
        println!("installing cargo-nextest {VERSION}: a few minutes, once");
        // Built with a fast profile, because it spends its time waiting for tests.
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
