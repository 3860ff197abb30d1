//! What a program that is built without the feature `redis` has instead.

/// No connection: this program is built without the feature `redis`.
#[derive(Clone, Debug)]
pub struct Redis(std::convert::Infallible);

impl Redis {
    pub(super) fn open(_: &str, _: std::time::Duration) -> Result<Self, String> {
        Err("this program was built without Redis. Add the feature `redis` of `doyen`, or remove the URL".to_owned())
    }

    /// Sends a `PING`.
    ///
    /// # Errors
    ///
    /// Never returns an error, because no value of this type exists.
    #[allow(clippy::unused_async, reason = "the other one waits")]
    pub async fn ping(&self) -> Result<(), String> {
        match self.0 {}
    }
}
