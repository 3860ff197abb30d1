//! mdBook, which renders the site of the documentation.

use std::path::PathBuf;

use toolkit::process::{cargo, run};
use toolkit::setup::stamp;
use toolkit::{Context, Result};

/// The installed version. Its templates and the names of its elements are used by the browser
/// test, so that another version on the `PATH` is ignored.
const VERSION: &str = "0.5.4";

pub(crate) fn find_or_install() -> Result<PathBuf> {
    let folder = stamp::folder("mdbook", &[VERSION], |folder| {
        println!("installing mdbook {VERSION}: about two minutes, once");
        let build = folder.join("build");
        // Without its server and its watcher. Built with a fast profile: it runs for seconds.
        run(cargo()
            .args(["install", "--quiet", "--locked", "mdbook"])
            .args(["--version", VERSION])
            .args(["--no-default-features", "--features", "search"])
            .arg("--root")
            .arg(folder)
            .arg("--target-dir")
            .arg(&build)
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"))?;
        std::fs::remove_dir_all(&build).context(|| format!("removing {}", build.display()))
    })?;
    Ok(folder.join("bin/mdbook"))
}
