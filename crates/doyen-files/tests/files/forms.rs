//! Multipart forms: what browsers and programs send, and what they should not.

use doyen_test::TestApp;
use serde_json::json;

use crate::kit::{
    BOUNDARY, MAX_BYTES, PNG, Part, Unscanned, file, folder, form, objects, send, send_bytes,
    send_file, text, until_objects,
};

#[doyen_test::test]
async fn fields_and_files_are_mixed(app: Unscanned) {
    let answer = send(
        &app,
        &[
            text("name=\"tags\"", "a"),
            file("name=\"file\"; filename=\"one.png\"", "image/png", PNG),
            text("name=\"note\"", "Gr\u{fc}\u{df}e"),
            file(
                "name=\"file\"; filename=\"two.txt\"",
                "text/plain",
                b"hello",
            ),
            text("name=\"tags\"", "b"),
            text("name=\"pages\"", "7"),
        ],
    )
    .await
    .expect(201);
    assert_eq!(answer.at("/note"), json!("Gr\u{fc}\u{df}e"));
    assert_eq!(answer.at("/tags"), json!(["a", "b"]));
    assert_eq!(answer.at("/pages"), json!(7));
    assert_eq!(answer.at("/files/0/name"), json!("one.png"));
    assert_eq!(answer.at("/files/0/media_type"), json!("image/png"));
    assert_eq!(answer.at("/files/0/status"), json!("unscanned"));
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(answer.at("/files/1/sha256"), json!(sha256));
    assert_eq!(answer.at("/files/1/size"), json!(5));
    assert_eq!(objects(&folder(&app).await).len(), 2);
}

#[doyen_test::test]
async fn fields_are_validated_and_the_files_are_removed(app: Unscanned) {
    let good = || file("name=\"file\"; filename=\"a.txt\"", "text/plain", b"hello");
    let answer = send(
        &app,
        &[
            good(),
            text("name=\"note\"", ""),
            text("name=\"pages\"", "x"),
        ],
    )
    .await;
    assert_eq!(answer.failures(), ["/note length", "/pages type"]);
    let answer = send(&app, &[good(), text("name=\"other\"", "x")]).await;
    assert_eq!(answer.failures(), ["/other unknown_field"]);
    let answer = send(&app, &[text("name=\"note\"", "x")]).await;
    assert_eq!(answer.failures(), ["/file required"]);
    // A browser sends an input without a selected file like this.
    let empty = file(
        "name=\"file\"; filename=\"\"",
        "application/octet-stream",
        b"",
    );
    assert_eq!(send(&app, &[empty]).await.failures(), ["/file required"]);
    until_objects(&folder(&app).await, 0).await;
}

#[doyen_test::test]
async fn an_empty_file_with_a_name_is_a_file(app: Unscanned) {
    let kept = send_file(&app, "empty.txt", "text/plain", b"")
        .await
        .expect(201);
    assert_eq!(kept.at("/files/0/size"), json!(0));
    let content = format!("/files/{}/content", kept.text_at("/files/0/id"));
    assert_eq!(app.get(content).send().await.expect(200).bytes(), b"");
}

#[doyen_test::test]
async fn the_limit_is_exact(app: Unscanned) {
    let exact = vec![b'a'; MAX_BYTES];
    send_file(&app, "a.txt", "text/plain", &exact)
        .await
        .expect(201);
    let more = vec![b'a'; MAX_BYTES + 1];
    send_file(&app, "a.txt", "text/plain", &more)
        .await
        .expect_problem(413, "file_too_large");
    let one = || file("name=\"file\"; filename=\"a.txt\"", "text/plain", b"a");
    send(&app, &[one(), one(), one(), one()])
        .await
        .expect_problem(422, "too_many_files");
    until_objects(&folder(&app).await, 1).await;
}

async fn is_malformed(app: &TestApp, body: impl Into<Vec<u8>>) {
    send_bytes(app, body.into())
        .await
        .expect_problem(400, "malformed_form");
}

#[doyen_test::test]
async fn damaged_forms_are_refused_and_leave_nothing(app: Unscanned) {
    let whole = form(&[file(
        "name=\"file\"; filename=\"a.txt\"",
        "text/plain",
        b"hello",
    )]);
    // Cut anywhere before the last boundary is complete.
    for cut in (0..whole.len() - 4).step_by(7) {
        is_malformed(&app, &whole[..cut]).await;
    }
    is_malformed(&app, "no boundary at all").await;
    let open = format!("--{BOUNDARY}\r\n");
    is_malformed(
        &app,
        format!("{open}no header\r\n\r\nx\r\n--{BOUNDARY}--\r\n"),
    )
    .await;
    is_malformed(
        &app,
        format!("{open}Content-Disposition: form-data\r\n\r\nx\r\n--{BOUNDARY}--"),
    )
    .await;
    // A header without an end, a preamble without an end, a field without an end.
    let long = "x".repeat(2 << 20);
    for endless in [
        format!("{open}X-Long: {long}"),
        format!("{long}{open}"),
        format!("{open}Content-Disposition: form-data; name=\"note\"\r\n\r\n{long}"),
    ] {
        is_malformed(&app, endless).await;
    }
    // A file under the name of a field.
    let other = file("name=\"note\"; filename=\"a.txt\"", "text/plain", b"x");
    is_malformed(&app, form(&[other])).await;
    let latin = Part {
        disposition: "name=\"note\"",
        media_type: None,
        content: b"\xff",
    };
    is_malformed(&app, form(&[latin])).await;
    until_objects(&folder(&app).await, 0).await;
}

#[doyen_test::test]
async fn many_parts_are_refused(app: Unscanned) {
    let fields: Vec<Part<'_>> = (0..1000).map(|_| text("name=\"tags\"", "")).collect();
    send(&app, &fields)
        .await
        .expect_problem(422, "too_many_files");
    let empty = || file("name=\"file\"; filename=\"\"", "text/plain", b"");
    let files: Vec<Part<'_>> = (0..1000).map(|_| empty()).collect();
    send(&app, &files)
        .await
        .expect_problem(422, "too_many_files");
}

#[doyen_test::test]
async fn the_media_type_of_the_body_is_checked(app: Unscanned) {
    let body = form(&[file(
        "name=\"file\"; filename=\"a.txt\"",
        "text/plain",
        b"hello",
    )]);
    for (media_type, status, code) in [
        ("text/plain", 415, "unsupported_media_type"),
        ("multipart/mixed; boundary=x", 415, "unsupported_media_type"),
        ("multipart/form-data", 400, "malformed_form"),
        ("multipart/form-data; boundary=", 400, "malformed_form"),
    ] {
        let answer = app
            .post("/files")
            .body(media_type, body.clone())
            .send()
            .await;
        answer.expect_problem(status, code);
    }
    let long = format!("multipart/form-data; boundary={}", "x".repeat(71));
    let answer = app.post("/files").body(&long, body.clone()).send().await;
    answer.expect_problem(400, "malformed_form");
    // A boundary that begins the boundary of the content.
    let answer = app
        .post("/files")
        .body("multipart/form-data; boundary=----doyen", body.clone())
        .send()
        .await;
    answer.expect_problem(400, "malformed_form");
    let quoted = format!("Multipart/Form-Data; charset=utf-8; boundary=\"{BOUNDARY}\"");
    app.post("/files")
        .body(&quoted, body)
        .send()
        .await
        .expect(201);
}

/// What the boundary begins with can occur in a file, at any place.
#[doyen_test::test]
async fn content_like_a_boundary_is_content(app: Unscanned) {
    for content in [
        "\r\n--",
        "\r\n----doyen-boundar",
        "--",
        "\r\n",
        "\r",
        "a\r\n------doyen",
    ] {
        let kept = send_file(&app, "a.txt", "text/plain", content.as_bytes()).await;
        let id = kept.expect(201).text_at("/files/0/id");
        let sent = app
            .get(format!("/files/{id}/content"))
            .send()
            .await
            .expect(200);
        assert_eq!(sent.text(), content);
    }
}
