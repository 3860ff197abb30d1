//! The version of the tus protocol: on every response, and readable for pages of other origins.

use std::ops::Deref;

use doyen::prelude::*;
use doyen_test::{Answer, Setup, Subject, TestApp};

use crate::kit::{Documents, Names, setup};

const PAGE: &str = "https://app.example.com";

#[derive(Clone, Copy, doyen::domain::Role)]
enum Staff {
    Agent,
}

/// An application whose pages are elsewhere, with uploads for all users and uploads for staff.
struct OtherOrigin(TestApp);

impl Subject for OtherOrigin {
    fn app() -> App {
        let open = doyen::files::resumable::<Documents>().at("/uploads");
        let staff = doyen::files::resumable::<Documents>().at("/staff");
        let staff = staff.allow(signed_in.role(Staff::Agent));
        App::new("uploads")
            .plugin(Names)
            .module(Module::new("uploads").routes(open))
            .module(Module::new("staff").routes(staff))
    }

    fn setup() -> Setup {
        setup()
            .set("server.cors_origins", PAGE)
            .set("limits.anonymous", "2/1h")
    }

    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Deref for OtherOrigin {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.0
    }
}

async fn create(app: &TestApp, who: Option<&str>, at: &str, size: &str) -> Answer {
    let call = app.request("POST", at).header("origin", PAGE);
    let call = match who {
        Some(who) => call.header("authorization", format!("Name {who}")),
        None => call,
    };
    let call = call.header("tus-resumable", "1.0.0");
    call.header("upload-length", size).send().await
}

/// Returns what a page can read.
fn exposed(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
    let names = answer.header("access-control-expose-headers");
    let names = names.unwrap_or_default().split(", ");
    names.map(str::to_owned).collect()
}

#[doyen_test::test(sqlite)]
async fn every_response_has_the_version_and_pages_can_read_it(app: OtherOrigin) {
    let ada = Some("ada");
    let large = (1 << 30).to_string();
    let mut answers = vec![
        create(&app, None, "/uploads", "5").await.expect(401),
        create(&app, ada, "/staff", "5").await.expect(403),
        create(&app, ada, "/uploads", &large).await.expect(413),
        create(&app, ada, "/uploads", "many").await.expect(422),
        create(&app, ada, "/uploads?page=2", "5").await.expect(422),
    ];
    create(&app, None, "/uploads", "5").await.expect(401);
    answers.push(create(&app, None, "/uploads", "5").await.expect(429));
    let created = create(&app, ada, "/uploads", "5").await.expect(201);
    let own = |method: &str, path: &str| {
        let call = app.request(method, path).header("origin", PAGE);
        call.header("authorization", "Name ada")
    };
    // Without a version, and with another one.
    answers.push(own("POST", "/uploads").send().await.expect(412));
    let other = own("POST", "/uploads").header("tus-resumable", "0.2.2");
    answers.push(other.send().await.expect(412));
    let path = created.location();
    for method in ["HEAD", "GET"] {
        answers.push(own(method, &path).send().await.expect(200));
    }
    answers.push(own("OPTIONS", "/uploads").send().await.expect(204));
    answers.push(created);
    let path = path.replace("upl_", "upl_0");
    answers.push(own("HEAD", &path).send().await);
    for answer in &answers {
        assert_eq!(answer.header("tus-resumable"), Some("1.0.0"), "{answer:?}");
        let exposed = exposed(answer);
        for name in [
            "tus-resumable",
            "upload-offset",
            "upload-length",
            "upload-expires",
            "location",
        ] {
            assert!(exposed.iter().any(|one| one == name), "{name}: {exposed:?}");
        }
    }
}

/// What a browser asks before it sends the first bytes.
#[doyen_test::test(sqlite)]
async fn pages_of_other_origins_may_send_the_headers_of_the_protocol(app: OtherOrigin) {
    let preflight = app.request("OPTIONS", "/uploads").header("origin", PAGE);
    let preflight = preflight.header("access-control-request-method", "POST");
    let answer = preflight.send().await.expect(204);
    let names = answer.header("access-control-allow-headers");
    let names: Vec<&str> = names.unwrap_or_default().split(", ").collect();
    for name in [
        "tus-resumable",
        "upload-length",
        "upload-metadata",
        "upload-offset",
        "upload-checksum",
        "content-type",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}

#[doyen_test::test(sqlite)]
async fn the_document_has_the_version_on_every_response(app: OtherOrigin) {
    let document = app.get("/openapi.json").send().await.expect(200);
    let responses = document.at("/paths/~1uploads/post/responses");
    let responses = responses.as_object().expect("responses");
    assert!(responses.contains_key("201") && responses.contains_key("401"));
    for (status, response) in responses {
        let header = &response["headers"]["tus-resumable"];
        assert_eq!(header["schema"]["const"], "1.0.0", "{status}: {response}");
    }
}
