//! `docs/guide/flat.md`: the RealWorld service, flat and with layers. Each test runs on both, as a
//! client, and the number of their lines is compared with the page.

use std::path::{Path, PathBuf};

use doyen_test::{Answer, Call, TestApp};
use serde_json::{Value, json};

use super::fastapi::length;
use super::subject;

subject!(Flat, docs_src::realworld::flat::app());
subject!(Layers, docs_src::realworld::layers::app());

/// Defines the tests for both services.
macro_rules! each_style {
    ($($test:ident),+ $(,)?) => {
        mod flat {
            $(#[doyen_test::test]
            async fn $test(app: super::Flat) {
                super::$test(&app).await;
            })+
        }
        mod layers {
            $(#[doyen_test::test]
            async fn $test(app: super::Layers) {
                super::$test(&app).await;
            })+
        }
    };
}

each_style!(
    users_register_log_in_and_change,
    wrong_input_and_credentials_are_refused,
    profiles_are_followed,
    articles_are_written_changed_and_removed,
    articles_belong_to_their_author,
    lists_are_filtered_and_have_pages,
    the_feed_has_the_followed_authors,
    favorites_are_counted,
    comments_are_written_and_removed,
    the_document_has_the_nineteen_routes,
);

const PASSWORD: &str = "correct horse battery staple";

/// A user with a login.
struct Login<'a> {
    app: &'a TestApp,
    token: String,
}

impl<'a> Login<'a> {
    /// Registers a user.
    async fn new(app: &'a TestApp, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let user = json!({"user": {"username": name, "email": email, "password": PASSWORD}});
        let registered = app.post("/api/users").json(&user).send().await.expect(201);
        let token = registered.text_at("/user/token").to_owned();
        Self { app, token }
    }

    fn sign(&self, call: Call) -> Call {
        call.header("authorization", format!("Token {}", self.token))
    }

    async fn get(&self, path: &str) -> Answer {
        self.sign(self.app.get(path)).send().await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        self.sign(self.app.post(path)).json(body).send().await
    }

    async fn put(&self, path: &str, body: &Value) -> Answer {
        self.sign(self.app.put(path)).json(body).send().await
    }

    /// A request without a body: `follow`, `favorite`.
    async fn mark(&self, path: &str) -> Answer {
        self.sign(self.app.post(path)).send().await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.sign(self.app.delete(path)).send().await
    }

    /// Writes an article and returns its slug.
    async fn publish(&self, title: &str, tags: &[&str]) -> String {
        let article = json!({"article": {"title": title, "description": "About it.", "body": "It is so.", "tagList": tags}});
        let new = self.post("/api/articles", &article).await.expect(201);
        new.text_at("/article/slug").to_owned()
    }
}

fn messages(answer: &Answer) -> Value {
    answer.json()["errors"]["body"].clone()
}

fn slugs(page: &Answer) -> Vec<String> {
    let articles = page.json()["articles"].as_array().unwrap().clone();
    let slug = |article: &Value| article["slug"].as_str().unwrap().to_owned();
    articles.iter().map(slug).collect()
}

async fn users_register_log_in_and_change(app: &TestApp) {
    let ada = Login::new(app, "ada").await;
    let login = json!({"user": {"email": "ADA@example.com", "password": PASSWORD}});
    let login = app.post("/api/users/login").json(&login).send().await;
    assert_eq!(login.expect(200).text_at("/user/username"), "ada");

    let changes = json!({"user": {"bio": "Programs.", "image": "https://example.com/ada.png"}});
    let changed = ada.put("/api/user", &changes).await.expect(200);
    assert_eq!(changed.text_at("/user/bio"), "Programs.");
    let password = "another horse battery staple";
    let changes =
        json!({"user": {"username": "lovelace", "email": "A@example.com", "password": password}});
    ada.put("/api/user", &changes).await.expect(200);
    let current = ada.get("/api/user").await.expect(200);
    let mut user = current.json()["user"].clone();
    assert!(user.as_object_mut().unwrap().remove("token").is_some());
    assert_eq!(
        user,
        json!({"email": "a@example.com", "username": "lovelace", "bio": "Programs.", "image": "https://example.com/ada.png"})
    );
    let login = |password: &str| {
        let body = json!({"user": {"email": "a@example.com", "password": password}});
        app.post("/api/users/login").json(&body)
    };
    login(password).send().await.expect(200);
    login(PASSWORD).send().await.expect(401);
}

async fn wrong_input_and_credentials_are_refused(app: &TestApp) {
    let ada = Login::new(app, "ada").await;
    let register = |name: &str, email: &str, password: &str| {
        let user = json!({"user": {"username": name, "email": email, "password": password}});
        app.post("/api/users").json(&user)
    };
    for taken in [
        register("ada", "new@example.com", PASSWORD),
        register("new", "ada@example.com", PASSWORD),
    ] {
        let refused = taken.send().await.expect(422);
        let message = "email or username has already been taken";
        assert_eq!(messages(&refused), json!([message]));
    }
    let wrong = register(" ", "ada", "password1").send().await.expect(422);
    assert_eq!(messages(&wrong).as_array().unwrap().len(), 3, "{wrong}");

    let bob = Login::new(app, "bob").await;
    let stolen = json!({"user": {"email": "ada@example.com"}});
    bob.put("/api/user", &stolen).await.expect(422);
    for email in ["ada@example.com", "eve@example.com"] {
        let login = json!({"user": {"email": email, "password": "a wrong password"}});
        let refused = app.post("/api/users/login").json(&login).send().await;
        assert_eq!(
            messages(&refused.expect(401)),
            json!(["email or password is invalid"])
        );
    }
    app.get("/api/user").send().await.expect(401);
    let forged = Login {
        app,
        token: format!("{}x", ada.token),
    };
    forged.get("/api/user").await.expect(401);
}

async fn profiles_are_followed(app: &TestApp) {
    let (ada, _bob) = (Login::new(app, "ada").await, Login::new(app, "bob").await);
    let profile = |following: bool| json!({"profile": {"username": "bob", "bio": null, "image": null, "following": following}});
    let anonymous = app.get("/api/profiles/bob").send().await.expect(200);
    assert_eq!(anonymous.json(), profile(false));
    for _ in 0..2 {
        let followed = ada.mark("/api/profiles/bob/follow").await.expect(200);
        assert_eq!(followed.json(), profile(true));
    }
    let seen = ada.get("/api/profiles/bob").await.expect(200);
    assert_eq!(seen.json(), profile(true));
    let anonymous = app.get("/api/profiles/bob").send().await.expect(200);
    assert_eq!(anonymous.json(), profile(false));
    for _ in 0..2 {
        let left = ada.delete("/api/profiles/bob/follow").await.expect(200);
        assert_eq!(left.json(), profile(false));
    }
    ada.get("/api/profiles/eve").await.expect(404);
    ada.mark("/api/profiles/eve/follow").await.expect(404);
}

async fn articles_are_written_changed_and_removed(app: &TestApp) {
    let ada = Login::new(app, "ada").await;
    let slug = ada
        .publish("How to  train: Dragons!", &["b", "a", "a"])
        .await;
    assert_eq!(slug, "how-to-train-dragons");
    let path = format!("/api/articles/{slug}");
    let shown = app.get(&*path).send().await.expect(200);
    let article = &shown.json()["article"];
    assert_eq!(article["tagList"], json!(["a", "b"]));
    assert_eq!(article["body"], "It is so.");
    assert_eq!(article["author"]["username"], "ada");
    assert_eq!(article["createdAt"], article["updatedAt"]);

    let again =
        json!({"article": {"title": "how to train dragons", "description": "d", "body": "b"}});
    let refused = ada.post("/api/articles", &again).await.expect(422);
    assert_eq!(messages(&refused), json!(["title must be unique"]));

    app.clock().advance(std::time::Duration::from_secs(60));
    let changes = json!({"article": {"title": "Dragons", "body": "It was so."}});
    let changed = ada.put(&path, &changes).await.expect(200);
    let article = &changed.json()["article"];
    assert_eq!(article["slug"], "dragons");
    assert_eq!(article["description"], "About it.");
    assert_eq!(article["body"], "It was so.");
    assert_eq!(article["tagList"], json!(["a", "b"]));
    assert_ne!(article["createdAt"], article["updatedAt"]);
    app.get(&*path).send().await.expect(404);

    ada.publish("Cats", &["a"]).await;
    let tags = app.get("/api/tags").send().await.expect(200);
    assert_eq!(tags.json(), json!({"tags": ["a", "b"]}));
    ada.delete("/api/articles/dragons").await.expect(204);
    app.get("/api/articles/dragons").send().await.expect(404);
    assert_eq!(app.count("tags").await, 1);
}

async fn articles_belong_to_their_author(app: &TestApp) {
    let (ada, bob) = (Login::new(app, "ada").await, Login::new(app, "bob").await);
    ada.publish("Cats", &[]).await;
    let changes = json!({"article": {"body": "Dogs are better."}});
    bob.put("/api/articles/cats", &changes).await.expect(403);
    bob.delete("/api/articles/cats").await.expect(403);
    let call = app.put("/api/articles/cats").json(&changes);
    call.send().await.expect(401);
    app.delete("/api/articles/cats").send().await.expect(401);
    bob.put("/api/articles/gone", &changes).await.expect(404);

    ada.publish("Dogs", &[]).await;
    let taken = json!({"article": {"title": "Dogs"}});
    ada.put("/api/articles/cats", &taken).await.expect(422);
    let blank =
        json!({"article": {"title": " ", "description": "d", "body": "b", "tagList": ["a,b"]}});
    let refused = ada.post("/api/articles", &blank).await.expect(422);
    assert_eq!(messages(&refused).as_array().unwrap().len(), 2, "{refused}");
}

async fn lists_are_filtered_and_have_pages(app: &TestApp) {
    let (ada, bob) = (Login::new(app, "ada").await, Login::new(app, "bob").await);
    for number in 1..=3 {
        app.clock().advance(std::time::Duration::from_secs(1));
        ada.publish(
            &format!("Ada {number}"),
            &["even", "odd"][number % 2..=number % 2],
        )
        .await;
    }
    app.clock().advance(std::time::Duration::from_secs(1));
    bob.publish("Bob 4", &["even"]).await;
    bob.mark("/api/articles/ada-3/favorite").await.expect(200);

    let list = async |query: &str| {
        let page = app
            .get(format!("/api/articles{query}"))
            .send()
            .await
            .expect(200);
        (slugs(&page), page.json()["articlesCount"].as_i64().unwrap())
    };
    let all = ["bob-4", "ada-3", "ada-2", "ada-1"].map(str::to_owned);
    assert_eq!(list("").await, (all.to_vec(), 4));
    assert_eq!(list("?limit=2&offset=1").await, (all[1..3].to_vec(), 4));
    assert_eq!(list("?offset=9").await, (vec![], 4));
    assert_eq!(list("?author=ada&limit=1").await, (all[1..2].to_vec(), 3));
    assert_eq!(
        list("?tag=even").await,
        (vec![all[0].clone(), all[2].clone()], 2)
    );
    assert_eq!(list("?favorited=bob").await, (all[1..2].to_vec(), 1));
    assert_eq!(list("?favorited=bob&author=bob").await, (vec![], 0));
    assert_eq!(list("?tag=%27%20OR%201%3D1").await, (vec![], 0));
    app.get("/api/articles?limit=101").send().await.expect(422);
    let page = app.get("/api/articles").send().await.expect(200);
    assert!(page.json()["articles"][0].get("body").is_none());
}

async fn the_feed_has_the_followed_authors(app: &TestApp) {
    let (ada, bob) = (Login::new(app, "ada").await, Login::new(app, "bob").await);
    ada.publish("Of ada", &[]).await;
    bob.publish("Of bob", &[]).await;
    let feed = ada.get("/api/articles/feed").await.expect(200);
    assert_eq!(feed.json(), json!({"articles": [], "articlesCount": 0}));
    ada.mark("/api/profiles/bob/follow").await.expect(200);
    let feed = ada.get("/api/articles/feed").await.expect(200);
    assert_eq!(slugs(&feed), ["of-bob"]);
    assert_eq!(feed.json()["articles"][0]["author"]["following"], true);
    assert_eq!(
        slugs(&bob.get("/api/articles/feed").await),
        Vec::<String>::new()
    );
    app.get("/api/articles/feed").send().await.expect(401);
}

async fn favorites_are_counted(app: &TestApp) {
    let (ada, bob) = (Login::new(app, "ada").await, Login::new(app, "bob").await);
    ada.publish("Cats", &[]).await;
    let seen = |answer: &Answer| {
        let article = &answer.json()["article"];
        (
            article["favorited"].clone(),
            article["favoritesCount"].clone(),
        )
    };
    let path = "/api/articles/cats/favorite";
    for _ in 0..2 {
        let marked = bob.mark(path).await.expect(200);
        assert_eq!(seen(&marked), (json!(true), json!(1)));
    }
    assert_eq!(
        seen(&ada.get("/api/articles/cats").await),
        (json!(false), json!(1))
    );
    assert_eq!(seen(&ada.mark(path).await), (json!(true), json!(2)));
    for _ in 0..2 {
        let removed = bob.delete(path).await.expect(200);
        assert_eq!(seen(&removed), (json!(false), json!(1)));
    }
    bob.mark("/api/articles/gone/favorite").await.expect(404);
    app.post(path).send().await.expect(401);
}

async fn comments_are_written_and_removed(app: &TestApp) {
    let (ada, bob) = (Login::new(app, "ada").await, Login::new(app, "bob").await);
    ada.publish("Cats", &[]).await;
    ada.publish("Dogs", &[]).await;
    let path = "/api/articles/cats/comments";
    let comment = |text: &str| json!({"comment": {"body": text}});
    let first = bob.post(path, &comment("First!")).await.expect(201);
    assert_eq!(first.text_at("/comment/author/username"), "bob");
    ada.post(path, &comment("Thanks.")).await.expect(201);
    ada.mark("/api/profiles/bob/follow").await.expect(200);
    let list = ada.get(path).await.expect(200);
    let comments = list.json()["comments"].as_array().unwrap().clone();
    assert_eq!(comments.len(), 2);
    assert_eq!(comments[0]["body"], "Thanks.");
    assert_eq!(comments[1]["author"]["following"], true);

    let one = format!("{path}/{}", first.json()["comment"]["id"]);
    ada.delete(&one).await.expect(403);
    let elsewhere = one.replace("cats", "dogs");
    bob.delete(&elsewhere).await.expect(404);
    bob.delete(&one).await.expect(204);
    bob.delete(&one).await.expect(404);
    let list = app.get(path).send().await.expect(200);
    assert_eq!(list.json()["comments"].as_array().unwrap().len(), 1);

    bob.post(path, &comment(" ")).await.expect(422);
    let nowhere = "/api/articles/gone/comments";
    bob.post(nowhere, &comment("a")).await.expect(404);
    app.get(nowhere).send().await.expect(404);
    ada.delete("/api/articles/cats").await.expect(204);
    assert_eq!(app.count("comments").await, 0);
}

/// The routes of the contract.
const ROUTES: [&str; 19] = [
    "delete /api/articles/{slug}",
    "delete /api/articles/{slug}/comments/{id}",
    "delete /api/articles/{slug}/favorite",
    "delete /api/profiles/{username}/follow",
    "get /api/articles",
    "get /api/articles/feed",
    "get /api/articles/{slug}",
    "get /api/articles/{slug}/comments",
    "get /api/profiles/{username}",
    "get /api/tags",
    "get /api/user",
    "post /api/articles",
    "post /api/articles/{slug}/comments",
    "post /api/articles/{slug}/favorite",
    "post /api/profiles/{username}/follow",
    "post /api/users",
    "post /api/users/login",
    "put /api/articles/{slug}",
    "put /api/user",
];

async fn the_document_has_the_nineteen_routes(app: &TestApp) {
    let document = app.document();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if path.starts_with("/api") {
            let methods = item.as_object().unwrap().keys();
            routes.extend(methods.map(|method| format!("{method} {path}")));
        }
    }
    routes.sort();
    assert_eq!(routes, ROUTES);
}

/// The lines of code of a style, with the error format that both share.
fn lines(style: &str) -> u32 {
    let root = Path::new("src/realworld");
    let mut files = vec![root.join("mod.rs")];
    let mut folders = vec![root.join(style)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    let text = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
    files
        .iter()
        .map(|file| length::count(&text(file)).all)
        .sum()
}

#[test]
fn the_page_states_the_lines_of_both_styles() {
    let (flat, layers) = (lines("flat"), lines("layers"));
    let page = std::fs::read_to_string("../docs/guide/flat.md").unwrap();
    for stated in [
        format!("| flat | {flat} |"),
        format!("| three layers | {layers} |"),
    ] {
        assert!(page.contains(&stated), "the page does not state: {stated}");
    }
    assert!(flat <= 650 && layers <= 1_000, "{flat} and {layers} lines");
}
