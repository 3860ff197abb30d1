//! The response to a connection above the limit.

use std::time::Duration;

use doyen_core::RequestId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::transport::Transport;
use crate::Service;
use crate::pipeline::security_header_lines;

/// Maximum time to send the response and to read what the client sends.
const REJECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Sends a 503 in the format of the application and closes the connection, so that the client does
/// not wait in vain.
pub(super) async fn reject(mut stream: Transport, service: Service) {
    let id = RequestId::new();
    let response = service.overloaded(id.as_str());
    let body = response.body().as_whole().cloned().unwrap_or_default();
    let mut head = format!("HTTP/1.1 {}\r\n", response.status());
    for (name, value) in response.headers() {
        let value = value.to_str().unwrap_or_default();
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if service.options().security_headers {
        head.push_str(&security_header_lines());
    }
    head.push_str(&format!(
        "x-request-id: {id}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    ));
    let send = async {
        stream.write_all(head.as_bytes()).await?;
        stream.write_all(&body).await?;
        stream.shutdown().await?;
        // To close a socket with unread bytes would reset the connection, and the client could lose
        // the response. So what it sends is discarded.
        let mut discarded = [0; 1024];
        while stream.read(&mut discarded).await? > 0 {}
        Ok::<_, std::io::Error>(())
    };
    if let Ok(Err(error)) = tokio::time::timeout(REJECT_TIMEOUT, send).await {
        tracing::debug!(%error, "503 not delivered");
    }
}
