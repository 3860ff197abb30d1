//! Requests of a caller, without a login.

use std::sync::{Arc, Mutex};

use doyen::domain::{Caller, Identify, Refusal, RequestCredentials, sync};

use crate::{Call, TestApp};

/// Authentication scheme of these callers. It exists in tests only.
const SCHEME: &str = "DoyenTest";

/// The callers that a test has named. They are identified before any scheme of the application.
#[derive(Clone, Debug, Default)]
pub(crate) struct TestCallers(Arc<Mutex<Vec<Arc<Caller>>>>);

impl TestCallers {
    /// Returns the value of `Authorization` for this caller.
    pub(crate) fn add(&self, caller: Caller) -> String {
        let mut all = sync::lock(&self.0);
        all.push(Arc::new(caller));
        format!("{SCHEME} {}", all.len() - 1)
    }
}

#[doyen::domain::__private::async_trait::async_trait]
impl Identify for TestCallers {
    async fn identify(
        &self,
        credentials: RequestCredentials<'_>,
    ) -> Result<Option<Arc<Caller>>, Refusal> {
        let number = credentials.after(SCHEME).and_then(|text| text.parse().ok());
        let number: Option<usize> = number;
        Ok(number.and_then(|number| sync::lock(&self.0).get(number).cloned()))
    }
}

/// Sends requests as one caller: see [`TestApp::as_user`].
#[derive(Clone, Debug)]
pub struct TestUser {
    app: TestApp,
    authorization: String,
}

macro_rules! method {
    ($name:ident, $method:literal) => {
        #[doc = concat!("A `", $method, "` request of this caller.")]
        pub fn $name(&self, target: impl AsRef<str>) -> Call {
            self.request($method, target)
        }
    };
}

impl TestUser {
    pub(crate) const fn new(app: TestApp, authorization: String) -> Self {
        Self { app, authorization }
    }

    method!(get, "GET");
    method!(head, "HEAD");
    method!(post, "POST");
    method!(put, "PUT");
    method!(patch, "PATCH");
    method!(delete, "DELETE");

    /// Starts a request with any method.
    pub fn request(&self, method: &str, target: impl AsRef<str>) -> Call {
        let call = self.app.request(method, target);
        call.header("authorization", self.authorization.clone())
    }
}
