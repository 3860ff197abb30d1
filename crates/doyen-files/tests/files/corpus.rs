//! Forms from the bug reports of other frameworks. Each case names the kind of report.

use serde_json::json;

use crate::kit::{BOUNDARY, Unscanned, folder, send_bytes, until_objects};

/// A form with one part `file`, with these lines before its content.
fn part(headers: &str, content: &str) -> String {
    format!("--{BOUNDARY}\r\n{headers}\r\n\r\n{content}\r\n--{BOUNDARY}--\r\n")
}

const FILE: &str = "Content-Disposition: form-data; name=\"file\"; filename=\"a.txt\"";

#[doyen_test::test]
async fn unusual_forms_are_understood(app: Unscanned) {
    let plain = |headers: &str| part(headers, "hello");
    let typed = format!("{FILE}\r\nContent-Type: text/plain");
    for (report, body, name) in [
        // Line ends before the first boundary were logged, one event for each byte.
        (
            "python-multipart: line ends before the form",
            "\r\n".repeat(2000) + &plain(&typed),
            "a.txt",
        ),
        (
            "python-multipart: data after the form",
            plain(&typed) + &"\r\n".repeat(1 << 19),
            "a.txt",
        ),
        (
            "RFC 2046: preamble",
            "This is a form.\r\n".to_owned() + &plain(&typed),
            "a.txt",
        ),
        (
            "RFC 2046: padding after a boundary",
            plain(&typed).replacen("\r\n", " \t \r\n", 1),
            "a.txt",
        ),
        (
            "no line end after the last boundary",
            plain(&typed).trim_end().to_owned(),
            "a.txt",
        ),
        (
            "names of headers in another case",
            plain(&typed.replace("Content-", "cONTENT-")),
            "a.txt",
        ),
        ("no type", plain(FILE), "a.txt"),
        (
            "dicer: a parameter without a value",
            plain("Content-Disposition: form-data; name=\"file\"; filename"),
            "file",
        ),
        (
            "multer: a name in a quoted file name",
            plain("Content-Disposition: form-data; filename=\"x; name=evil.txt\"; name=\"file\""),
            "x; name=evil.txt",
        ),
        (
            "Rack: an extended name that cannot be read",
            plain(&format!("{FILE}; filename*=iso-8859-1''x.txt")),
            "a.txt",
        ),
        (
            "browsers: line ends in a file name",
            plain("Content-Disposition: form-data; name=\"file\"; filename=\"a%0D%0Ab.txt\""),
            "a%0D%0Ab.txt",
        ),
        (
            "browsers: quotes in a file name",
            plain("Content-Disposition: form-data; name=\"file\"; filename=\"\\\"a%22.txt\""),
            "_a_.txt",
        ),
        (
            "HTTP clients: `Content-Length` in a part",
            plain(&format!("{typed}\r\nContent-Length: 99")),
            "a.txt",
        ),
    ] {
        let kept = send_bytes(&app, body.into_bytes()).await;
        assert_eq!(kept.status(), 201, "{report}: {kept}");
        assert_eq!(kept.at("/files/0/name"), json!(name), "{report}");
        assert_eq!(kept.at("/files/0/size"), json!(5), "{report}");
    }
}

/// Content that resembles a boundary, or has a line end followed by much else, took quadratic time
/// in several parsers.
#[doyen_test::test]
async fn content_takes_linear_time(app: Unscanned) {
    let repeat = |text: &str| text.repeat((1 << 20) / text.len());
    for content in [
        repeat("\r"),
        repeat("\n"),
        repeat("\r\n"),
        repeat("\r\n-"),
        repeat("\r\n--"),
        repeat(&format!("\r\n--{}", &BOUNDARY[..BOUNDARY.len() - 1])),
        repeat(&format!("\n--{BOUNDARY}")),
        "\r".to_owned() + &"a".repeat((1 << 20) - 1),
    ] {
        let kept = send_bytes(&app, part(FILE, &content).into_bytes()).await;
        assert_eq!(kept.expect(201).at("/files/0/size"), json!(content.len()));
    }
}

#[doyen_test::test]
async fn ambiguous_forms_are_refused(app: Unscanned) {
    let typed = format!("{FILE}\r\nContent-Type: text/plain");
    let many = format!("{FILE}\r\n{}", "X-A: b\r\n".repeat(40));
    for (report, body) in [
        (
            "line ends without CR",
            part(&typed, "hello").replace('\r', ""),
        ),
        (
            "megabytes before the form",
            "\r\n".repeat(1 << 19) + &part(&typed, "hello"),
        ),
        (
            "a folded header",
            part(&typed.replace("; filename", ";\r\n filename"), "hello"),
        ),
        (
            "a header without a colon",
            part("Content-Disposition form-data", "hello"),
        ),
        (
            "a NUL in a header",
            part(&typed.replace("a.txt", "a\0.txt"), "hello"),
        ),
        ("many headers", part(many.trim_end(), "hello")),
        (
            "two names",
            part(
                &typed.replace("name=\"file\"", "name=\"file\"; name=\"note\""),
                "x",
            ),
        ),
        (
            "an attachment",
            part(&typed.replace("form-data", "attachment"), "hello"),
        ),
        (
            "an empty name",
            part(&typed.replace("\"file\"", "\"\""), "hello"),
        ),
        (
            "no line end before a boundary",
            part(&typed, "").replace("\r\n\r\n\r\n", "\r\n\r\n"),
        ),
        ("only the beginning of the last boundary", {
            let whole = part(&typed, "hello");
            whole.trim_end().trim_end_matches('-').to_owned() + "-"
        }),
    ] {
        let answer = send_bytes(&app, body.into_bytes()).await;
        assert_eq!(answer.status(), 400, "{report}: {answer}");
        answer.expect_problem(400, "malformed_form");
    }
    for (body, failure) in [
        (format!("--{BOUNDARY}--\r\n"), "/file required"),
        (
            part("Content-Disposition: form-data; name=\"__proto__\"", "x"),
            "/__proto__",
        ),
    ] {
        let answer = send_bytes(&app, body.into_bytes()).await.expect(422);
        let failures = answer.failures().join(" ");
        assert!(failures.contains(failure), "{failures}");
    }
    // Files in files were for several files under one name.
    let nested = part(
        &format!("{FILE}\r\nContent-Type: multipart/mixed; boundary=x"),
        "--x--",
    );
    let answer = send_bytes(&app, nested.into_bytes()).await;
    answer.expect_problem(415, "file_type_not_allowed");
    until_objects(&folder(&app).await, 0).await;
}

#[doyen_test::test]
async fn the_boundary_is_one_and_plain(app: Unscanned) {
    let send = async |boundary: &str, parameter: &str| {
        let body = part(FILE, "hello").replace(BOUNDARY, boundary);
        let media_type = format!("multipart/form-data; {parameter}");
        app.post("/files").body(&media_type, body).send().await
    };
    send("a'()+_,-./:=?b", "boundary=\"a'()+_,-./:=?b\"")
        .await
        .expect(201);
    send("x", "BOUNDARY=x").await.expect(201);
    for parameter in [
        "boundary=x; boundary=y",
        "boundary=\"a\\\"b\"",
        "boundary=\"x \"",
        "boundary",
    ] {
        let answer = send("x", parameter).await;
        answer.expect_problem(400, "malformed_form");
    }
    until_objects(&folder(&app).await, 2).await;
}
