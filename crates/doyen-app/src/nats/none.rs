//! What a program that is built without the feature `nats` has instead.

/// No connection: this program is built without the feature `nats`.
#[derive(Clone, Debug)]
pub struct Nats(std::convert::Infallible);

impl Nats {
    pub(super) fn open(_: &str, _: Option<&str>) -> Result<Self, (&'static str, String)> {
        let message = "this program was built without NATS. Add the feature `nats` of `doyen`, or remove the URL";
        Err(("nats.url", message.to_owned()))
    }
}
