//! T13: a token is read from the header only; one in another place is refused and not disclosed.

use crate::support::{Api, accepted, call, token};

#[doyen_test::test]
async fn t13_a_token_in_the_url_or_a_body_is_ignored(api: Api) {
    let app = &api.0;
    let good = token(app).await;
    accepted(call(app, &good).await);
    for name in ["access_token", "token", "Authorization", "bearer"] {
        let answer = app.get("/me").query(name, &good).send().await;
        answer.expect_problem(401, "unauthenticated");
    }
    let form = format!("access_token={good}").into_bytes();
    let type_of_forms = "application/x-www-form-urlencoded";
    let answer = app.get("/me").body(type_of_forms, form).send().await;
    answer.expect_problem(401, "unauthenticated");
    let cookie = format!("access_token={good}");
    let answer = app.get("/me").header("cookie", cookie).send().await;
    answer.expect_problem(401, "unauthenticated");
    for line in app.log() {
        let line = line.to_string();
        assert!(!line.contains(&good[..40]), "{line}");
        assert!(!line.contains("access_token"), "{line}");
    }
}

/// A token in the URL is a client error even if the header is valid. The problem does not repeat
/// the token.
#[doyen_test::test]
async fn t13_a_token_in_the_url_is_refused_even_with_one_in_the_header(api: Api) {
    let app = &api.0;
    let good = token(app).await;
    let request = app.get("/me").bearer(&good).query("access_token", &good);
    let answer = request.send().await.expect(422);
    let signature = good.rsplit_once('.').unwrap().1;
    assert!(!answer.text().contains(signature), "{answer}");
    let log = app.log();
    assert!(!log.iter().any(|line| line.to_string().contains(signature)));
}
