//! Streams, WebSockets and work after the response.

use std::sync::Arc;

use docs_src::fastapi::*;
use doyen_test::TestApp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{Chapters, sent};

async fn text(app: &TestApp, path: &str) -> String {
    app.get(path).send().await.expect(200).text()
}

#[doyen_test::test(sqlite)]
async fn items_are_sent_one_by_one(chapters: Chapters) {
    let app = chapters.with(json_lines::module()).await;
    let lines = text(&app, "/items/stream").await;
    let first = "{\"name\":\"Plumbus\",\"price\":32.99}\n{\"name\":\"Portal Gun\"";
    assert!(lines.starts_with(first), "{lines}");
    assert_eq!(lines.lines().count(), 3);

    let app = chapters.with(sse::module()).await;
    let events = text(&app, "/items/stream").await;
    let first = "data: {\"name\":\"Plumbus\",\"price\":32.99}\n\ndata: ";
    assert!(events.starts_with(first), "{events}");

    let app = chapters.with(sse_fields::module()).await;
    let events = text(&app, "/items/stream").await;
    let first = "event: item_update\nid: 1\nretry: 5000\ndata: {\"name\":\"Plumbus\"";
    assert!(events.starts_with(first), "{events}");

    let app = chapters.with(sse_resume::module()).await;
    let call = app.get("/items/stream").header("last-event-id", "1");
    let events = call.send().await.expect(200).text();
    assert_eq!(
        events,
        "id: 2\ndata: {\"name\":\"Meeseeks Box\",\"price\":49.99}\n\n"
    );
    let whole = text(&app, "/items/stream").await;
    assert_eq!(whole.matches("id: ").count(), 3);

    let app = chapters.with(sse_post::module()).await;
    let call = app
        .post("/chat/stream")
        .json(&json!({"text": "hello world"}));
    let events = call.send().await.expect(200).text();
    assert_eq!(
        events,
        "event: token\ndata: \"hello\"\n\nevent: token\ndata: \"world\"\n\n\
         event: done\ndata: \"[DONE]\"\n\n"
    );

    let app = chapters.with(stream_text::module()).await;
    let story = text(&app, "/story/stream").await;
    let lines = "Rick: Morty! You gotta come on.Morty: What, Rick? What's going on?";
    assert_eq!(story, lines);

    let app = chapters.with(stream_image::module()).await;
    let image = app.get("/image/stream").send().await.expect(200);
    assert_eq!(image.header("content-type"), Some("image/png"));
}

#[doyen_test::test(sqlite)]
async fn work_follows_the_response(chapters: Chapters) {
    let app = chapters.with(background_task::module()).await;
    let said = sent(app.post("/send-notification/foo@example.com")).await;
    let message = "Notification sent in the background";
    assert_eq!(said, json!({"message": message}));
    let list = app.inject::<Arc<background_task::Sent>>().await;
    while list.0.lock().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let line = "notification for foo@example.com: some notification";
    assert_eq!(*list.0.lock().unwrap(), [line]);

    let app = chapters.with(background_depends::module()).await;
    let said = sent(app.post("/send-notification/foo@example.com?q=some-query")).await;
    assert_eq!(said, json!({"message": "Message sent"}));
    let log = app.inject::<Arc<background_depends::Log>>().await;
    while log.0.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let mut lines = log.0.lock().unwrap().clone();
    lines.sort();
    assert_eq!(
        lines,
        ["found query: some-query", "message to foo@example.com"]
    );
}

/// A text frame of a client, whose mask is zero.
fn frame(text: &str) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap();
    assert!(length < 126, "a short message");
    let mut frame = vec![0x81, 0x80 | length, 0, 0, 0, 0];
    frame.extend(text.as_bytes());
    frame
}

#[doyen_test::test(sqlite)]
async fn a_websocket_has_typed_messages(chapters: Chapters) {
    let app = chapters.with(websocket::module()).await;
    let server = app.serve().await;
    let mut stream = server.connect().await;
    let head = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
                Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                Sec-WebSocket-Protocol: chat.v1\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    let mut said = Vec::new();
    for message in [r#"{"text": "Message one"}"#, r#"{"text": 2}"#] {
        stream.write_all(&frame(message)).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 0x81);
        let mut text = vec![0; stream.read_u8().await.unwrap().into()];
        stream.read_exact(&mut text).await.unwrap();
        said.push(serde_json::from_slice::<Value>(&text).unwrap());
    }
    let text = "Message text was: Message one";
    let answer = json!({"type": "text", "text": text});
    let refusal = json!({"type": "refused", "code": "invalid"});
    assert_eq!(said, [answer, refusal]);
}
