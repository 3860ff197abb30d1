//! Another status for a response.

use doyen_core::Refusal;
use doyen_schema::contract::Contract;
use http::StatusCode;

use super::IntoResponse;
use crate::Response;
use crate::request::Parts;

/// A response with another status: `Status<202, Json<Job>>`.
///
/// Statuses from 200 to 599 compile, except those without a body (204, 205, 304). A status from 400
/// on rolls back the unit of work, like a problem; prefer a problem unless an API that has clients
/// needs another body.
///
/// ```
/// use doyen_web::{Status, Text};
///
/// async fn start() -> Status<202, Text> {
///     Status(Text("started".into()))
/// }
/// # let _ = start;
/// ```
///
/// A route of this handler does not compile:
///
/// ```compile_fail,E0080
/// use doyen_core::anyone;
/// use doyen_web::{Route, Status, Text};
///
/// async fn nothing() -> Status<204, Text> {
///     Status(Text("there is no body".into()))
/// }
/// let route = Route::get("/").allow(anyone).handler(nothing);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status<const CODE: u16, T>(pub T);

impl<const CODE: u16, T> Status<CODE, T> {
    /// The status; a wrong one does not compile.
    const CHECKED: u16 = {
        assert!(
            CODE >= 200 && CODE <= 599,
            "a response has a status from 200 to 599"
        );
        assert!(
            CODE != 204 && CODE != 205 && CODE != 304,
            "a response with this status has no body: return `NoContent`"
        );
        CODE
    };
}

impl<const CODE: u16, T: IntoResponse> IntoResponse for Status<CODE, T> {
    fn into_response(self, parts: &Parts) -> Result<Response, Refusal> {
        let mut response = self.0.into_response(parts)?;
        // Checked above: every number in this range is a status.
        *response.status_mut() = StatusCode::from_u16(Self::CHECKED).unwrap_or(StatusCode::OK);
        Ok(response)
    }

    fn describe(contract: &mut Contract<'_>) {
        let before = contract.operation.answers.len();
        T::describe(contract);
        for answer in &mut contract.operation.answers[before..] {
            answer.status = Some(Self::CHECKED);
        }
    }
}
