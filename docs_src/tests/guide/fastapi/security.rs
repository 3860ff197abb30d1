//! Tokens, passwords, scopes and HTTP Basic.

use docs_src::fastapi::*;
use doyen::domain::Caller;
use doyen_test::TestApp;
use serde_json::json;

use super::{Chapters, FORM, get, sent};

fn basic(app: &TestApp, path: &str, credentials: &str) -> doyen_test::Call {
    let header = format!("Basic {credentials}");
    app.get(path).header("authorization", header)
}

/// `stanleyjobson:swordfish`
const STANLEY: &str = "c3RhbmxleWpvYnNvbjpzd29yZGZpc2g=";
/// `stanleyjobson:x`
const WRONG: &str = "c3RhbmxleWpvYnNvbjp4";

#[doyen_test::test(sqlite)]
async fn a_token_is_read_and_checked(chapters: Chapters) {
    let app = chapters.with(security_token::module()).await;
    let token = sent(app.get("/items/").bearer("testtoken")).await;
    assert_eq!(token, json!({"token": "testtoken"}));
    let none = app.get("/items/").send().await;
    let none = none.expect_problem(401, "unauthenticated");
    assert_eq!(
        none.header("www-authenticate"),
        Some("Bearer realm=\"api\"")
    );

    let app = chapters.with(security_user::module()).await;
    let user = sent(app.get("/users/me").bearer("testtoken")).await;
    assert_eq!(user["username"], "testtokenfakedecoded");
    app.get("/users/me").send().await.expect(401);

    let app = chapters.app(auth_status::app, &[]).await;
    let me = sent(app.get("/me").bearer("secrettoken")).await;
    assert_eq!(me["token"], "secrettoken");
    app.get("/me").send().await.expect(403);
    let responses = &app.document()["paths"]["/me"]["get"]["responses"];
    assert!(responses["403"].is_object() && responses["401"].is_null());
}

#[doyen_test::test(sqlite)]
async fn a_password_gets_a_token(chapters: Chapters) {
    let app = chapters.with(security_jwt::module()).await;
    let log_in = |body: &str| app.post("/token").body(FORM, body).send();
    let token = log_in("username=johndoe&password=secret").await.expect(200);
    assert_eq!(token.at("/token_type"), "bearer");
    for wrong in [
        "username=johndoe&password=x",
        "username=alice&password=secret",
    ] {
        let wrong = log_in(wrong).await.expect_problem(401, "incorrect_login");
        assert_eq!(wrong.text_at("/detail"), "Incorrect username or password");
    }
    let me = app.get("/users/me/").bearer(token.text_at("/access_token"));
    assert_eq!(sent(me).await, json!({"username": "johndoe"}));
    let bad = app.get("/users/me/").bearer("nonexistent").send().await;
    let bad = bad.expect(401);
    let challenge = bad.header("www-authenticate").unwrap_or("");
    assert!(challenge.starts_with("Bearer"), "{bad}");
}

#[doyen_test::test(sqlite)]
async fn a_password_gets_a_token_of_the_scheme(chapters: Chapters) {
    let app = chapters.app(oauth2::app, &[]).await;
    let log_in = |body: &str| app.post("/token").body(FORM, body).send();
    let token = log_in("username=johndoe&password=secret").await.expect(200);
    let wrong = log_in("username=johndoe&password=x").await;
    wrong.expect_problem(400, "incorrect_login");
    let me = app.get("/users/me").bearer(token.text_at("/access_token"));
    assert_eq!(me.send().await.expect(200).text(), "johndoe");
    let none = app.get("/users/me").send().await;
    let none = none.expect_problem(401, "unauthenticated");
    let challenge = none.header("www-authenticate").unwrap_or("");
    assert!(
        challenge.contains("Bearer") && challenge.contains("Basic"),
        "{none}"
    );
    basic(&app, "/users/me", STANLEY).send().await.expect(200);
    basic(&app, "/users/me", WRONG).send().await.expect(401);
    let schemes = &app.document()["components"]["securitySchemes"];
    assert_eq!(schemes["oauth2"]["flows"]["password"]["tokenUrl"], "/token");
    assert_eq!(schemes["basic"]["scheme"], "basic", "{schemes}");
}

#[doyen_test::test(sqlite)]
async fn a_route_needs_scopes(chapters: Chapters) {
    let app = chapters.with(security_scopes::module()).await;
    let with = |scopes: &[&str]| {
        let mut caller = Caller::new("johndoe");
        caller.scopes = scopes.iter().map(|scope| (*scope).into()).collect();
        app.as_user(caller)
    };
    let both = with(&["me", "items"]);
    let items = both.get("/users/me/items/").send().await.expect(200);
    assert_eq!(
        items.json(),
        json!([{"item_id": "Foo", "owner": "johndoe"}])
    );
    let one = with(&["me"]);
    one.get("/users/me/").send().await.expect(200);
    // FastAPI's example answers 401; the caller is known, so this is a 403.
    one.get("/users/me/items/").send().await.expect(403);
    with(&[]).get("/status/").send().await.expect(200);
    app.get("/status/").send().await.expect(401);
}

#[doyen_test::test(sqlite)]
async fn http_basic(chapters: Chapters) {
    let app = chapters.with(security_basic::module()).await;
    let me = sent(basic(&app, "/users/me", STANLEY)).await;
    assert_eq!(
        me,
        json!({"username": "stanleyjobson", "password": "swordfish"})
    );
    let none = app.get("/users/me").send().await.expect(401);
    let challenge = none.header("www-authenticate").unwrap_or("");
    assert!(challenge.starts_with("Basic"), "{none}");

    let app = chapters.app(security_basic_check::app, &[]).await;
    let me = sent(basic(&app, "/users/me", STANLEY)).await;
    assert_eq!(me, json!({"username": "stanleyjobson"}));
    let wrong = basic(&app, "/users/me", WRONG).send().await.expect(401);
    let challenge = wrong.header("www-authenticate").unwrap_or("");
    assert!(challenge.contains("Basic"), "{wrong}");
}

#[doyen_test::test(sqlite)]
async fn a_bigger_application_has_routers(chapters: Chapters) {
    let app = chapters.app(bigger::app, &[]).await;
    let hello = json!({"message": "Hello Bigger Applications!"});
    assert_eq!(get(&app, "/?token=jessica").await, hello);
    let none = app.get("/?token=x").send().await;
    let none = none.expect_problem(400, "wrong_query_token");
    assert_eq!(none.text_at("/detail"), "No Jessica token provided");
    let users = get(&app, "/users/?token=jessica").await;
    assert_eq!(users, json!([{"username": "Rick"}, {"username": "Morty"}]));
    let me = get(&app, "/users/me?token=jessica").await;
    assert_eq!(me, json!({"username": "fakecurrentuser"}));
    let user = get(&app, "/users/foo?token=jessica").await;
    assert_eq!(user, json!({"username": "foo"}));
    let with = |call: doyen_test::Call| call.header("x-token", "fake-super-secret-token");
    // FastAPI's path has a slash at its end.
    let items = sent(with(app.get("/items?token=jessica"))).await;
    assert_eq!(items["gun"], json!({"name": "Portal Gun"}));
    let item = sent(with(app.get("/items/plumbus?token=jessica"))).await;
    assert_eq!(item, json!({"name": "Plumbus", "item_id": "plumbus"}));
    let missing = with(app.get("/items/foo?token=jessica")).send().await;
    missing.expect_problem(404, "item_not_found");
    let great = sent(with(app.put("/items/plumbus?token=jessica"))).await;
    assert_eq!(great["name"], "The great Plumbus");
    let other = with(app.put("/items/gun?token=jessica")).send().await;
    other.expect_problem(403, "only_plumbus");
    let wrong = app.get("/items/gun?token=jessica").header("x-token", "x");
    wrong.send().await.expect_problem(400, "wrong_token");
    let admin = sent(with(app.post("/admin?token=jessica"))).await;
    assert_eq!(admin, json!({"message": "Admin getting schwifty"}));
    let custom = &app.document()["paths"]["/items/{item_id}"]["put"]["tags"];
    assert_eq!(custom, &json!(["custom"]));
}
