//! One request and its response over HTTP/1.1, on a connection that the test keeps.

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// A whole response.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// Returns the value of a header, in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Returns true if the connection serves no further request.
    pub(crate) fn closes(&self) -> bool {
        self.header("connection") == Some("close")
    }

    /// Returns the body as text, for messages.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Sends a request, and reads its response.
///
/// # Errors
///
/// Returns why there is no whole response.
pub(crate) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    request: &[u8],
) -> Result<Response, String> {
    let failed = |error: std::io::Error| error.to_string();
    stream.write_all(request).await.map_err(failed)?;
    let mut received = Vec::new();
    let end = loop {
        if stream.read_buf(&mut received).await.map_err(failed)? == 0 {
            return Err(format!("closed after {} bytes", received.len()));
        }
        if let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let body = received.split_off(end);
    let head = String::from_utf8_lossy(&received).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|text| text.parse().ok());
    let mut response = Response {
        status: status.ok_or_else(|| format!("no status: {head}"))?,
        head,
        body,
    };
    let length = response.header("content-length");
    let length: usize = length.map_or(0, |text| text.parse().unwrap_or(0));
    let read = response.body.len();
    response.body.resize(length.max(read), 0);
    stream
        .read_exact(&mut response.body[read..])
        .await
        .map_err(failed)?;
    Ok(response)
}
