//! The callers of a test.

use std::sync::{Arc, Mutex};

use doyen::domain::{Caller, Identify, Refusal, RequestCredentials, sync};

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
