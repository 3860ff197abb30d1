//! The response to a connection above the limit.

use std::time::Duration;

use doyen_core::RequestId;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::pipeline::security_header_lines;

/// Maximum time to send the response and to read what the client sends.
const REJECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Sends a 503 and closes the connection, so that the client does not wait in vain.
pub(super) async fn reject(mut stream: TcpStream, has_security_headers: bool) {
    let id = RequestId::new();
    let body = format!(
        r#"{{"type":"/problems/overloaded","title":"Overloaded","status":503,"detail":"The server has reached its maximum number of connections. Try again later.","instance":"","code":"overloaded","request_id":"{id}"}}"#
    );
    let security = if has_security_headers {
        security_header_lines()
    } else {
        String::new()
    };
    let text = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\ncache-control: no-store\r\n\
         {security}x-request-id: {id}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let send = async {
        stream.write_all(text.as_bytes()).await?;
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
