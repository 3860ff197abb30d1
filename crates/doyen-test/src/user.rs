//! Requests of a caller, without a login.

use doyen::domain::Caller;

use crate::{Call, TestApp};

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

impl TestApp {
    /// Returns a client whose requests come from this caller, without a login: access policies,
    /// limits and the log see it. It is identified before any scheme of the application.
    ///
    /// ```text
    /// let ada = app.as_user(Caller::new("usr_ada"));
    /// ada.get("/me").send().await.expect(200);
    /// ```
    pub fn as_user(&self, caller: Caller) -> TestUser {
        TestUser {
            app: self.clone(),
            authorization: self.callers().add(caller),
        }
    }
}

impl TestUser {
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
