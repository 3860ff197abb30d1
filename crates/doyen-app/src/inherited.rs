//! Listeners that another process has opened and keeps open: systemd with a `.socket` unit, or
//! `doyen dev`. While the application restarts, connections wait instead of being refused.
//!
//! The process finds their number in `LISTEN_FDS`. The one with the address of `server.bind` or
//! `admin.bind` is used for it.

use doyen_web::{OpenListener, Server, ServerOptions, Service};
use listenfd::ListenFd;

use crate::fault::Fault;

/// The listeners that are not used yet.
pub(crate) struct Inherited(Vec<OpenListener>);

impl Inherited {
    /// Takes them. The variables are removed, so that no child process takes them too.
    pub(crate) fn take() -> Result<Self, Fault> {
        let mut all = ListenFd::from_env();
        let mut listeners = Vec::new();
        for place in 0..all.len() {
            let listener = take(&mut all, place).map_err(|error| {
                Fault::setting(
                    "LISTEN_FDS",
                    format!(
                        "only TCP and Unix sockets that listen can be passed to the application: {error}"
                    ),
                )
            })?;
            listeners.extend(listener);
        }
        Ok(Self(listeners))
    }

    /// Serves on the listener with this address, or opens one.
    pub(crate) async fn server(
        &mut self,
        service: Service,
        options: ServerOptions,
        key: &'static str,
    ) -> Result<Server, Fault> {
        let is_wanted = |listener: &OpenListener| {
            let address = listener.address();
            address.is_ok_and(|address| address == options.bind)
        };
        match self.0.iter().position(is_wanted) {
            Some(place) => Server::on(self.0.remove(place), service, options)
                .map_err(|error| Fault::setting_error(key, error)),
            None => Server::bind(service, options)
                .await
                .map_err(|error| Fault::setting_error(key, error)),
        }
    }

    /// Refuses listeners that no setting names: their connections would wait forever.
    pub(crate) fn finish(self) -> Result<(), Fault> {
        let addresses = self.0.iter().filter_map(|one| one.address().ok());
        let addresses: Vec<String> = addresses.map(|address| address.to_string()).collect();
        match addresses.is_empty() {
            true => Ok(()),
            false => Err(Fault::setting(
                "LISTEN_FDS",
                format!(
                    "the socket for {} was passed to the application, and neither `server.bind` nor \
                     `admin.bind` is this address",
                    addresses.join(", ")
                ),
            )),
        }
    }
}

/// Takes the listener at this place, whatever it is.
fn take(all: &mut ListenFd, place: usize) -> std::io::Result<Option<OpenListener>> {
    let tcp = all.take_tcp_listener(place);
    #[cfg(unix)]
    if tcp.is_err()
        && let Some(listener) = all.take_unix_listener(place)?
    {
        return Ok(Some(listener.into()));
    }
    tcp.map(|listener| listener.map(OpenListener::from))
}
