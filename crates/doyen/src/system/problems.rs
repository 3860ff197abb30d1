//! `/problems/{code}`: what each problem means, where its `type` points.

use std::sync::Arc;

use doyen_console::ProblemPage;
use doyen_core::anyone;
use doyen_macros::get;
use doyen_web::Response;

use super::Pages;
use super::docs::{FindPage, html};

/// What an error means and what to do.
#[get("/problems/{code}", allow = anyone, hidden)]
pub(super) async fn problem(pages: Arc<Pages>, code: String) -> Result<Response, FindPage> {
    let filled = pages.get().ok_or(FindPage::Missing)?;
    let info = filled
        .catalogue
        .iter()
        .find(|info| info.code == code)
        .ok_or(FindPage::Missing)?;
    // The first sentence says what it means, the rest what to do.
    let (summary, what_to_do) = info
        .description
        .split_once(". ")
        .unwrap_or((info.description, ""));
    Ok(html(doyen_console::problem_page(&ProblemPage {
        code: info.code,
        title: info.title,
        status: info.kind.status(),
        summary: &format!("{}.", summary.trim_end_matches('.')),
        what_to_do,
    })))
}
