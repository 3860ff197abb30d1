//! Uploads with an idempotency key: the same file again gets the first response, another one a 422.

use doyen_test::{Answer, TestApp};
use serde_json::json;

use crate::kit::{Unscanned, folder, until_objects};

async fn send(app: &TestApp, key: &str, boundary: &str, content: &[u8]) -> Answer {
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\
         Content-Type: text/plain\r\n\r\n"
    );
    let end = format!("\r\n--{boundary}--\r\n");
    let body = [head.as_bytes(), content, end.as_bytes()].concat();
    let call = app.post("/texts").header("authorization", "Name ada");
    let call = call.header("idempotency-key", key);
    let media_type = format!("multipart/form-data; boundary={boundary}");
    call.body(&media_type, body).send().await
}

#[doyen_test::test]
async fn a_key_belongs_to_the_content_of_an_upload(app: Unscanned) {
    let first = send(&app, "k", "one", b"hello").await.expect(201);
    assert_eq!(first.header("idempotency-replayed"), None);
    // A browser makes another boundary each time, also of another length.
    for boundary in ["one", "two", "a-longer-boundary", "x"] {
        let again = send(&app, "k", boundary, b"hello").await.expect(201);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.at("/id"), first.at("/id"));
    }
    let large = vec![b'a'; 1 << 19];
    for other in [b"hellO", &b"hell"[..], b"hello ", b"", &large] {
        send(&app, "k", "one", other)
            .await
            .expect_problem(422, "idempotency_key_reused");
    }
    // The marks of the form are not content.
    for other in [&b"one"[..], b"--one", b"\r\n--on"] {
        send(&app, "k", "two", other)
            .await
            .expect_problem(422, "idempotency_key_reused");
    }
    assert_eq!(
        send(&app, "k", "z", b"hello").await.at("/id"),
        first.at("/id")
    );
    until_objects(&folder(&app).await, 1).await;
}

#[doyen_test::test]
async fn a_refused_upload_leaves_its_key(app: Unscanned) {
    send(&app, "k", "one", b"\0").await.expect(422);
    send(&app, "k", "one", b"hello").await.expect(201);
    // A JSON body on the same route is another request.
    let call = app.post("/texts").header("authorization", "Name ada");
    let call = call.header("idempotency-key", "k");
    let body = json!({"upload": "upl_01jd9m3z6veqjsk4dy2hjcg8x4"});
    call.json(&body)
        .send()
        .await
        .expect_problem(422, "idempotency_key_reused");
}

#[doyen_test::test]
async fn of_two_files_at_once_with_a_key_one_is_kept(app: Unscanned) {
    let contents = [b"aaaa", b"bbbb"];
    let all = (0..8).map(|at| send(&app, "k", "one", contents[at % 2]));
    let all = futures_util::future::join_all(all).await;
    for answer in &all {
        assert!([201, 409, 422].contains(&answer.status()), "{answer}");
    }
    let kept: Vec<_> = all.iter().filter(|answer| answer.status() == 201).collect();
    assert!(!kept.is_empty());
    assert!(
        kept.iter()
            .all(|answer| answer.at("/sha256") == kept[0].at("/sha256"))
    );
    assert_eq!(app.count("files").await, 1);
}
