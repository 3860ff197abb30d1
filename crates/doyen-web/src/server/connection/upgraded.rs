//! A connection after a 101: the work of the handler, in the task of the connection.

use std::sync::Arc;

use hyper_util::rt::TokioIo;

use crate::budget::Account;
use crate::server::requests::PendingUpgrade;
use crate::server::shutdown::{Shutdown, Stage};
use crate::server::socket::ClientSocket;
use crate::upgrade::Upgraded;

/// Runs the work until it ends, the drain reaches its deadline, or the memory of the client is
/// needed.
pub(super) async fn serve(pending: PendingUpgrade, account: &Arc<Account>, shutdown: &Shutdown) {
    let Ok(upgraded) = pending.connection.await else {
        return;
    };
    let Ok(parts) = upgraded.downcast::<TokioIo<ClientSocket>>() else {
        return;
    };
    // A client that sends before it has the response does not speak the protocol.
    let Some(stream) = parts.io.into_inner().into_stream() else {
        return;
    };
    let Some(work) = pending.upgrade.take() else {
        return;
    };
    let upgraded = Upgraded {
        stream,
        read: parts.read_buf,
    };
    tokio::select! {
        biased;
        () = shutdown.reached(Stage::Cut) => shutdown.count_cut(),
        () = account.closed() => {}
        () = work(upgraded) => {}
    }
}
