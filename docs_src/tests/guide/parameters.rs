//! `docs/guide/parameters.md`

use serde_json::json;

use super::{of, subject};

subject!(Warehouse, of(docs_src::path_parameters::module()));

#[doyen_test::test(sqlite)]
async fn a_name_in_the_path_binds(warehouse: Warehouse) {
    let answer = warehouse
        .get("/aisles/north%20end/shelves/7")
        .send()
        .await
        .expect(200);
    assert_eq!(answer.json(), json!({"aisle": "north end", "number": 7}));
    let answer = warehouse
        .get("/aisles/a/shelves/x")
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(answer.failures(), ["/number type"]);
    assert_eq!(answer.at("/errors/0/in"), "path");
}

subject!(Library, of(docs_src::query::module()));

#[doyen_test::test(sqlite)]
async fn fields_are_parameters(library: Library) {
    let answer = library
        .get("/books?word=tea&language=de&language=fr&sort=year")
        .send()
        .await
        .expect(200);
    assert_eq!(
        answer.json(),
        json!({"word": "tea", "language": ["de", "fr"], "sort": "year"})
    );
    let answer = library.get("/books").send().await.expect(200);
    assert_eq!(
        answer.json(),
        json!({"word": null, "language": [], "sort": "title"})
    );
}

#[doyen_test::test(sqlite)]
async fn every_wrong_one_is_named(library: Library) {
    let answer = library
        .get("/books?word=&sort=age&langauge=de")
        .send()
        .await
        .expect_problem(422, "invalid");
    assert_eq!(
        answer.failures(),
        [
            "/langauge unknown_parameter",
            "/sort one_of",
            "/word length"
        ]
    );
}

subject!(Clients, of(docs_src::headers::module()));

#[doyen_test::test(sqlite)]
async fn header_fields_and_cookies(clients: Clients) {
    let call = clients
        .get("/client")
        .header("client-version", "2.1")
        .header("cookie", "theme=dark; other=1");
    assert_eq!(
        call.send().await.expect(200).json(),
        json!({"version": "2.1", "theme": "dark"})
    );
    let answer = clients
        .get("/client")
        .header("client-version", "x".repeat(21))
        .send()
        .await;
    assert_eq!(
        answer.expect_problem(422, "invalid").at("/errors/0/in"),
        "header"
    );
}

subject!(Greetings, of(docs_src::extractor::module()));

#[doyen_test::test(sqlite)]
async fn an_extractor_of_your_own_is_in_the_document(greetings: Greetings) {
    let call = greetings
        .get("/greeting")
        .header("accept-language", "de, en;q=0.5");
    assert_eq!(call.send().await.expect(200).text(), "Guten Tag");
    let parameters = &greetings.document()["paths"]["/greeting"]["get"]["parameters"];
    assert_eq!(parameters[0]["name"], "Accept-Language");
}
