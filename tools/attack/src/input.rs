//! A14, A15, A26, A42, A43: cursors, parameters, headers.

use serde_json::{Value, json};
use toolkit::http::{TIMEOUT, exchange_all};

use crate::Attack;
use crate::access::CANARY;
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 5] = [
    Attack {
        id: "A14",
        run: cursors,
    },
    Attack {
        id: "A15",
        run: header_injection,
    },
    Attack {
        id: "A26",
        run: injection,
    },
    Attack {
        id: "A42",
        run: costly,
    },
    Attack {
        id: "A43",
        run: pollution,
    },
];

fn cursors(target: &Target) -> Verdict {
    let (ada, ben) = match target.accounts.both() {
        Ok(both) => both,
        Err(why) => return Verdict::not_applicable(why),
    };
    for number in 0..3 {
        ada.create_ticket(target, &format!("{CANARY} {number}"));
        ben.create_ticket(target, "Ben's");
    }
    let first = ada.get(target, "/v1/tickets?limit=1&sort=created_at");
    let cursor = first.at("/page/next");
    let mut tally = Tally::new(
        "a cursor with each letter changed, cut, doubled, of another user, with another filter; 9 limits",
    );
    tally.expect(!cursor.is_empty(), "a first page of one", &first);
    let page = |cursor: &str| format!("/v1/tickets?limit=1&sort=created_at&cursor={cursor}");
    tally.expect_status(
        &[200],
        "the cursor as it is",
        &ada.get(target, &page(&cursor)),
    );
    for place in 0..cursor.len() {
        let letter = if cursor.as_bytes()[place] == b'A' {
            'B'
        } else {
            'A'
        };
        let mut bent = cursor.clone();
        bent.replace_range(place..=place, &letter.to_string());
        tally.expect_status(
            &[400],
            format!("letter {place} changed"),
            &ada.get(target, &page(&bent)),
        );
    }
    for bent in [
        &cursor[..cursor.len() / 2],
        "x",
        &format!("{cursor}{cursor}"),
        &format!("{cursor}="),
        "AAAA",
        "%27%20or%201=1--",
    ] {
        tally.expect_status(&[400, 422], bent, &ada.get(target, &page(bent)));
    }
    let response = ben.get(target, &page(&cursor));
    tally.expect(
        !response.is_success() && !response.text().contains(CANARY),
        "Ada's cursor, sent by Ben",
        &response,
    );
    for other in [
        "sort=-created_at",
        "sort=created_at&status=open",
        "sort=updated_at",
        "sort=created_at&q=x",
    ] {
        let path = format!("/v1/tickets?limit=1&{other}&cursor={cursor}");
        tally.expect_status(&[400], other, &ada.get(target, &path));
    }
    for limit in [
        "0",
        "-1",
        "101",
        "1e3",
        "99999999999999999999",
        "%31%00",
        "0x10",
        "1.5",
        "",
    ] {
        tally.expect_status(
            &[400, 422],
            format!("limit={limit}"),
            &ada.get(target, &format!("/v1/tickets?limit={limit}")),
        );
    }
    tally.verdict()
}

fn header_injection(target: &Target) -> Verdict {
    let mut tally = Tally::new("CR, LF, NUL and folded lines in paths, queries, ids and fields");
    let evil = "x-evil: 1";
    for path in [
        "/v1/tickets/x%0d%0ax-evil:%201",
        "/problems/x%0d%0ax-evil:%201",
        "/docs%0d%0ax-evil:%201",
        "/v1/tickets?q=%0d%0ax-evil:%201",
        "/v1/tickets?limit=1&x=%0d%0a%0d%0aHTTP/1.1%20200%20OK",
        "/%0a%0dx-evil:%201",
        "/v1/users?role=%E5%98%8A%E5%98%8Dx-evil:%201",
    ] {
        let response = target.get(path).send();
        tally.expect(
            response.header("x-evil").is_none() && response.status != 0,
            path,
            &response,
        );
    }
    for value in [
        "a\u{85}b",
        "a\u{2028}b",
        "\u{1b}[31mred",
        "a\tb",
        "<script>",
        "x".repeat(300).as_str(),
    ] {
        let response = target.get("/livez").header("x-request-id", value).send();
        let echo = response.header("x-request-id").unwrap_or_default();
        tally.expect(
            echo.bytes().all(|b| b.is_ascii_graphic()) && echo.len() <= 128 && !echo.contains('<'),
            format!("x-request-id {value:?}"),
            &response,
        );
    }
    for (what, head) in [
        ("NUL in a value", format!("x-a: b\0c\r\n{evil}\r\n")),
        ("a bare CR in a value", format!("x-a: b\r{evil}\r\n")),
        ("a folded line", format!("x-a: b\r\n {evil}\r\n")),
        ("a space before the colon", "x-a : b\r\n".to_owned()),
        ("an empty name", ": b\r\n".to_owned()),
        ("no colon", "x-a\r\n".to_owned()),
    ] {
        let bytes = format!(
            "GET /livez HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{head}\r\n",
            target.host
        );
        let (responses, _) = exchange_all(target.address, bytes.as_bytes(), TIMEOUT);
        let response = responses.first().cloned().unwrap_or_default();
        tally.expect(response.status == 400, what, &response);
    }
    tally.verdict()
}

const SQL: [&str; 14] = [
    "'",
    "\"",
    "''",
    "' OR '1'='1",
    "') OR ('1'='1",
    "1 OR 1=1",
    "'; SELECT pg_sleep(5)--",
    "1); WAITFOR DELAY '0:0:5'--",
    "' UNION SELECT NULL--",
    "\\",
    "$1",
    "?",
    "{\"$ne\":null}",
    "; cat /etc/passwd",
];

fn injection(target: &Target) -> Verdict {
    let ben = match target.accounts.both() {
        Ok((_, ben)) => ben,
        Err(why) => return Verdict::not_applicable(why),
    };
    let mut tally = Tally::new(format!(
        "{} pieces of SQL in each parameter of every list, in a login, and LIKE's wildcards",
        SQL.len()
    ));
    let mut parameters = Vec::new();
    for operation in target
        .document
        .iter()
        .flat_map(crate::example::operations)
        .filter(|operation| operation.method == "GET" && !operation.has_id())
    {
        for parameter in operation.definition["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
        {
            parameters.push((
                operation.path.to_owned(),
                parameter["name"].as_str().unwrap_or_default().to_owned(),
            ));
        }
    }
    if parameters.is_empty() {
        parameters = ["q", "sort", "status", "tag", "cursor", "fields"]
            .map(|name| ("/v1/tickets".to_owned(), name.to_owned()))
            .to_vec();
    }
    // An agent reaches the database where a customer is rejected before. A customer must not see
    // the data of Ada.
    for who in std::iter::once(ben).chain(&target.accounts.agent) {
        for (path, name) in &parameters {
            for sql in SQL {
                let response = who.get(target, &format!("{path}?{name}={}", escaped(sql)));
                let quick = response.took.as_secs() < 4;
                let leaks = who.id == ben.id && response.text().contains(CANARY);
                tally.expect(
                    quick && response.status != 0 && !leaks,
                    format!("{path}?{name}={sql}"),
                    &response,
                );
            }
        }
    }
    for sql in SQL {
        let response = target
            .post(
                "/v1/auth/login",
                &json!({"email": format!("admin@example.com{sql}"), "password": sql}),
            )
            .send();
        tally.expect_refusal(format!("login {sql}"), &response);
        tally.expect_refusal(
            format!("id {sql}"),
            &ben.get(target, &format!("/v1/tickets/{}", escaped(sql))),
        );
    }
    ben.create_ticket(target, "no wildcard in here");
    for wildcard in ["%25", "_", "%25%25", "no%25here", "n_ wildcard"] {
        let response = ben.get(
            target,
            &format!("/v1/tickets?q={}", wildcard.replace(' ', "%20")),
        );
        let none = response.json()["items"].as_array().is_some_and(|items| {
            items
                .iter()
                .all(|item| item["subject"] != "no wildcard in here")
        });
        tally.expect(
            none && response.status == 200,
            format!("q={wildcard}"),
            &response,
        );
    }
    tally.verdict()
}

fn escaped(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

fn costly(target: &Target) -> Verdict {
    let ada = match target.accounts.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let mut tally = Tally::new(
        "pages past the end, searches of 7 000 letters, lists of 2 000 names; each in less than 3 s",
    );
    let long = "a".repeat(7000);
    let list = vec!["subject"; 900].join(",");
    for query in [
        "page=1000000000&per_page=100".to_owned(),
        "page=9223372036854775807&per_page=100".to_owned(),
        format!("q={long}"),
        format!("q={}", "%25".repeat(2000)),
        format!("tag={long}"),
        format!("fields={list}"),
        format!("sort={list}"),
        "sort=body".to_owned(),
        "sort=password_hash".to_owned(),
        "per_page=1000000".to_owned(),
        format!("q={}!", "aA".repeat(3000)),
    ] {
        let response = ada.get(target, &format!("/v1/tickets?{query}"));
        let good =
            matches!(response.status, 200 | 400 | 414 | 422 | 431) && response.took.as_secs() < 3;
        tally.expect(good, query.chars().take(40).collect::<String>(), &response);
    }
    let email = format!("{}@example.com", "a".repeat(60_000));
    let response = target
        .post("/v1/auth/login", &json!({"email": email, "password": "x"}))
        .send();
    tally.expect(
        response.is_refusal() && response.took.as_secs() < 3,
        "an address of 60 KB",
        &response,
    );
    let response = target
        .post(
            "/v1/auth/login",
            &json!({"email": "a@example.com", "password": "x".repeat(900_000)}),
        )
        .send();
    tally.expect(
        response.is_refusal() && response.took.as_secs() < 3,
        "a password of 900 KB",
        &response,
    );
    tally.verdict()
}

fn pollution(target: &Target) -> Verdict {
    let ada = match target.accounts.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let mut tally =
        Tally::new("one name twice, in brackets, unknown names, and a body's name in the query");
    for query in [
        "limit=1&limit=2",
        "status=open&status=closed",
        "limit=1&%6cimit=2",
        "status[]=open",
        "status%5B%5D=open",
        "limit[$gt]=1",
        "unknown=1",
        "Limit=1",
        "access_token=x",
    ] {
        tally.expect_status(
            &[400, 401, 422],
            query,
            &ada.get(target, &format!("/v1/tickets?{query}")),
        );
    }
    let body: Value = json!({"subject": "s", "body": "b"});
    for query in ["subject=evil", "reporter=evil", "id=evil"] {
        let response = ada
            .request(target, "POST", &format!("/v1/tickets?{query}"))
            .json(&body)
            .send();
        tally.expect_status(&[400, 422], query, &response);
    }
    tally.verdict()
}
