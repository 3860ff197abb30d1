//! `/problems/{code}`: the page that the `type` of a problem refers to.

use std::sync::Arc;

use doyen_core::anyone;
use doyen_macros::get;
use doyen_web::Response;

use crate::html::with_root;
use crate::pages::{FindPage, html};
use crate::plugin::Pages;
use crate::{ProblemPage, problem_page};

/// The meaning of an error code, and what to do.
#[get("/problems/{code}", allow = anyone, hidden)]
pub(crate) async fn problem(pages: Arc<Pages>, code: String) -> Result<Response, FindPage> {
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
    let page = problem_page(&ProblemPage {
        code: info.code,
        title: info.title,
        status: info.kind.status(),
        summary: &format!("{}.", summary.trim_end_matches('.')),
        what_to_do,
    });
    Ok(html(with_root(page, &filled.root)))
}
