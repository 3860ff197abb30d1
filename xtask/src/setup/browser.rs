//! Chromium, for the tests of web pages.

use std::path::PathBuf;

use toolkit::process::find;
use toolkit::setup::system;
use toolkit::{Failure, Result};

const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

pub(crate) fn find_or_install() -> Result<PathBuf> {
    if let Some(browser) = find(&NAMES) {
        return Ok(browser);
    }
    system::install("Chromium", &["chromium"])?;
    find(&NAMES).ok_or_else(|| Failure::new("Chromium is installed, but not on the PATH"))
}
