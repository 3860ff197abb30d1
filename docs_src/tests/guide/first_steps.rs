//! `docs/guide/first-steps.md`

use std::process::Command;

use doyen_test::Program;

use super::{of, subject};

subject!(Greeter, docs_src::first_steps::app());

#[doyen_test::test(sqlite)]
async fn a_function_is_a_route(greeter: Greeter) {
    let answer = greeter.get("/hello/Ada").send().await.expect(200);
    assert_eq!(answer.text(), r#"{"message":"Hello, Ada!"}"#);
    greeter
        .get("/nowhere")
        .send()
        .await
        .expect_problem(404, "not_found");
    greeter
        .post("/hello/Ada")
        .send()
        .await
        .expect_problem(405, "method_not_allowed");
}

#[doyen_test::test(sqlite)]
async fn it_has_a_document_and_a_page(greeter: Greeter) {
    let document = greeter.get("/openapi.json").send().await.expect(200).json();
    let operation = &document["paths"]["/hello/{name}"]["get"];
    assert_eq!(operation["summary"], "Greet a person by name");
    assert_eq!(operation["operationId"], "greetings_hello");
    assert_eq!(operation["parameters"][0]["name"], "name");
    greeter.get("/docs").send().await.expect(200);
    greeter.get("/readyz").send().await.expect(200);
}

#[test]
fn the_program_lists_its_routes() {
    let output = Command::new(env!("CARGO_BIN_EXE_docs_src"))
        .arg("routes")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.lines()
            .any(|line| line.starts_with("GET /hello/{name}") && line.ends_with("anyone")),
        "{text}"
    );
}

#[test]
fn the_program_of_the_readme_is_complete() {
    let server = Program::new(env!("CARGO_BIN_EXE_greeter"))
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .start();
    let get = |path: &str| {
        server.exchange(&format!(
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        ))
    };
    let greeting = get("/hello/Ada?times=2");
    assert!(
        greeting.ends_with(r#"{"message":"Hello, Hello, Ada"}"#),
        "{greeting}"
    );
    let refused = get("/hello/Ada?times=9");
    assert!(refused.starts_with("HTTP/1.1 422 "), "{refused}");
    // The README shows the end of this response.
    let readme = std::fs::read_to_string("../README.md").unwrap();
    let (_, errors) = refused.split_once("\"errors\":").unwrap();
    assert!(readme.contains(errors), "the README does not show {errors}");
    assert!(get("/docs").starts_with("HTTP/1.1 200 "));
    assert!(server.terminate().success());
}

subject!(Texts, of(docs_src::policies::module()));

#[doyen_test::test(sqlite)]
async fn a_policy_holds_for_its_route(texts: Texts) {
    let send = |path: &str, text: &str| {
        texts
            .post(path)
            .body("application/octet-stream", text)
            .send()
    };
    assert_eq!(send("/length", "tea").await.expect(200).at("/bytes"), 3);
    send("/length", "more than sixteen bytes")
        .await
        .expect_problem(413, "body_too_large");
    assert_eq!(
        send("/words", "more than sixteen bytes")
            .await
            .expect(200)
            .at("/bytes"),
        4
    );
    let paths = &texts.document()["paths"];
    assert_eq!(paths["/words"]["post"]["deprecated"], true);
    assert_eq!(paths["/length"]["post"]["tags"][0], "text");
}

subject!(Pings, of(docs_src::builder::module(&["home", "away"])));

#[doyen_test::test(sqlite)]
async fn a_route_needs_no_attribute(pings: Pings) {
    assert_eq!(
        pings.get("/ping/home").send().await.expect(200).text(),
        "pong"
    );
    pings.get("/ping/away").send().await.expect(200);
}
