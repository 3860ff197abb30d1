//! `cargo xtask site`: builds the documentation as a site, checks its links, and opens every page.
//!
//! | module | contents |
//! | --- | --- |
//! | [`pages`] | the table of contents: every page of `docs/`, in the order of its folder's README |
//! | [`book`] | a copy of the pages and of the files they link to, rendered by mdBook |
//! | [`links`] | the check of the links and anchors in the built HTML |
//!
//! `tools/site/browser.mjs` opens each page in Chromium, searches, and switches the theme.
//!
//! The site is a folder of static files. It needs no server of its own and loads nothing from other
//! hosts. The links in it are relative, so that it can be served below any path.

mod book;
mod links;
mod pages;

use std::process::Command;
use std::time::Instant;

use toolkit::process::output;
use toolkit::{Failure, Result, workspace};

use crate::commands::no_arguments;
use crate::setup;
use crate::steps::seconds;

/// Opens the pages.
const BROWSER_TEST: &str = "tools/site/browser.mjs";

pub(super) fn run(args: &[String]) -> Result {
    no_arguments(args)?;
    let parts = pages::parts()?;
    let tools = setup::site()?;
    let started = Instant::now();
    let site = book::build(&tools.mdbook, &parts)?;
    let checked = links::check(&site)?;
    println!(
        "{} pages with {} links and anchors ({})",
        checked.pages,
        checked.links,
        seconds(started.elapsed())
    );

    let started = Instant::now();
    let text = output(
        Command::new("node")
            .arg(workspace::root().join(BROWSER_TEST))
            .env("SITE", &site)
            .env("CHROMIUM", &tools.browser),
    )?;
    let steps = text.lines().filter(|line| line.starts_with("ok ")).count();
    if steps == 0 {
        return Err(Failure::new(format!("no step was run\n{text}")));
    }
    println!("{steps} steps in Chromium ({})", seconds(started.elapsed()));
    println!("the site: {}", site.join("index.html").display());
    Ok(())
}
