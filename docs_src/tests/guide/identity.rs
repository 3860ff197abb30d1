//! `docs/guide/identity.md`

use std::sync::Arc;

use docs_src::identity::{Ada, module};
use doyen::App;
use doyen::auth::{PasswordOptions, Passwords, Tokens};
use doyen::domain::Caller;
use doyen::web::Module;
use doyen_test::{Subject, TestApp};
use serde_json::json;

/// Issues an access token with the application's own keys.
pub(crate) fn token(app: &TestApp, name: &str, scopes: &[&str]) -> String {
    let mut caller = Caller::new(name);
    caller.scopes = scopes.iter().map(|scope| (*scope).into()).collect();
    tokens(app).issue(&caller).unwrap().token
}

fn tokens(app: &TestApp) -> Arc<Tokens> {
    let context = app.service().container().context();
    at_once(async move { context.get::<Arc<Tokens>>().await.ok().unwrap() })
}

/// Runs the future on its own thread, because a test already runs inside a runtime.
fn at_once<T: Send>(future: impl Future<Output = T> + Send) -> T {
    let run = || {
        tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap()
            .block_on(future)
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

struct Library(TestApp);

impl Subject for Library {
    fn app() -> App {
        let passwords = Passwords::new(PasswordOptions::fast_for_tests()).unwrap();
        let hash = passwords.hash("correct horse battery staple".parse().unwrap());
        let password_hash = at_once(hash).unwrap();
        let ada = Module::new("ada").provide(Arc::new(Ada { password_hash }));
        App::new("library").module(module()).module(ada)
    }
    fn new(app: TestApp) -> Self {
        Self(app)
    }
}

impl Library {
    async fn log_in(&self, name: &str, password: &str) -> doyen_test::Answer {
        self.0
            .post("/login")
            .json(&json!({"name": name, "password": password}))
            .send()
            .await
    }
}

#[doyen_test::test(sqlite)]
async fn a_login_gives_a_token(library: Library) {
    let answer = library
        .log_in("ada", "correct horse battery staple")
        .await
        .expect(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let token = answer.text_at("/access_token");
    let me = library.0.get("/me").bearer(&token).send().await.expect(200);
    assert_eq!(me.json(), json!({"name": "ada"}));
    library
        .0
        .get("/books")
        .bearer(&token)
        .send()
        .await
        .expect(200);
}

#[doyen_test::test(sqlite)]
async fn a_login_does_not_disclose_accounts(library: Library) {
    let wrong = library
        .log_in("ada", "wrong")
        .await
        .expect_problem(401, "invalid_credentials");
    let unknown = library
        .log_in("eve", "wrong")
        .await
        .expect_problem(401, "invalid_credentials");
    assert_eq!(wrong.at("/detail"), unknown.at("/detail"));
}

#[doyen_test::test(sqlite)]
async fn a_refused_caller_gets_the_reason(library: Library) {
    let app = &library.0;
    let anonymous = app
        .get("/me")
        .send()
        .await
        .expect_problem(401, "unauthenticated");
    assert_eq!(
        anonymous.header("www-authenticate"),
        Some("Bearer realm=\"api\"")
    );
    app.get("/me")
        .bearer("forged")
        .send()
        .await
        .expect_problem(401, "invalid_token");
    let none = token(app, "ada", &[]);
    let answer = app
        .get("/books")
        .bearer(&none)
        .send()
        .await
        .expect_problem(403, "forbidden");
    assert!(answer.text_at("/detail").contains("books:read"), "{answer}");
    let writer = token(app, "ada", &["books:write"]);
    app.delete("/books")
        .bearer(&writer)
        .send()
        .await
        .expect_problem(403, "forbidden");
}

#[doyen_test::test(sqlite)]
async fn an_expired_token_does_not_keep_anybody_from_logging_in(library: Library) {
    let old = token(&library.0, "ada", &[]);
    library
        .0
        .clock()
        .advance(std::time::Duration::from_secs(3600));
    library
        .0
        .get("/me")
        .bearer(&old)
        .send()
        .await
        .expect_problem(401, "invalid_token");
    let call = library.0.post("/login").bearer(&old);
    call.json(&json!({"name": "ada", "password": "correct horse battery staple"}))
        .send()
        .await
        .expect(200);
}

#[doyen_test::test(sqlite)]
async fn the_public_key_is_served(library: Library) {
    let keys = library
        .0
        .get("/.well-known/jwks.json")
        .send()
        .await
        .expect(200);
    assert_eq!(keys.at("/keys/0/kty"), "OKP");
}
