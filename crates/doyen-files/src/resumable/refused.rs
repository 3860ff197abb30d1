//! The problems of each route.

use std::marker::PhantomData;

use doyen_core::{Problem, ProblemInfo, Refusal, Unexpected};

use crate::problems::{
    self, CHECKSUM_MISMATCH, MALFORMED_UPLOAD, OFFSET_CONFLICT, TOO_MANY_PARTS, TOO_MANY_UPLOADS,
    UPLOAD_EXPIRED, UPLOAD_NOT_FOUND,
};

/// A problem of a route whose problems `R` lists.
pub(super) struct Refused<R>(Refusal, PhantomData<fn() -> R>);

/// The problems of a route.
pub(super) trait Reasons: 'static {
    fn list() -> Vec<&'static ProblemInfo>;
}

/// Creating an upload.
pub(super) struct Creating;
/// Reading or removing an upload.
pub(super) struct Finding;
/// Continuing an upload.
pub(super) struct Appending;

impl Reasons for Creating {
    fn list() -> Vec<&'static ProblemInfo> {
        let own = [&TOO_MANY_UPLOADS, &MALFORMED_UPLOAD, &CHECKSUM_MISMATCH];
        problems::intake().into_iter().chain(own).collect()
    }
}

impl Reasons for Finding {
    fn list() -> Vec<&'static ProblemInfo> {
        vec![&UPLOAD_NOT_FOUND, &UPLOAD_EXPIRED]
    }
}

impl Reasons for Appending {
    fn list() -> Vec<&'static ProblemInfo> {
        let own = [
            &OFFSET_CONFLICT,
            &MALFORMED_UPLOAD,
            &CHECKSUM_MISMATCH,
            &TOO_MANY_PARTS,
        ];
        let all = Finding::list().into_iter().chain(problems::intake());
        all.chain(own).collect()
    }
}

impl<R> From<Refusal> for Refused<R> {
    fn from(refusal: Refusal) -> Self {
        Self(refusal, PhantomData)
    }
}

impl<R> From<Unexpected> for Refused<R> {
    fn from(error: Unexpected) -> Self {
        Refusal::from(error).into()
    }
}

#[diagnostic::do_not_recommend]
impl<R: Reasons> Problem for Refused<R> {
    fn info(&self) -> &'static ProblemInfo {
        self.0.info()
    }
    fn catalogue() -> Vec<&'static ProblemInfo> {
        R::list()
    }
    fn detail(&self) -> Option<String> {
        self.0.detail()
    }
    fn failures(&self) -> Option<&doyen_core::Failures> {
        self.0.failures()
    }
    fn members(&self) -> Vec<(&'static str, serde_json::Value)> {
        self.0.members()
    }
    fn headers(&self) -> Vec<(&'static str, String)> {
        self.0.headers()
    }
    fn retry_after(&self) -> Option<u32> {
        self.0.retry_after()
    }
    fn cause(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause()
    }
}
