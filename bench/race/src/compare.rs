//! Checks before the measurement that all servers give identical responses, byte for byte.

use toolkit::http;
use toolkit::{Failure, Result};

use crate::cases::Case;
use crate::options::Options;
use crate::rows::TICKETS;
use crate::server::{Launcher, Request, Server};

/// A request and the expected response.
struct Check {
    case: u8,
    request: Request,
    expected: Expectation,
}

enum Expectation {
    /// This status, and a JSON body that is identical for all servers.
    Same(u16),
    /// As `Same`, with this body.
    Exactly(u16, &'static str),
    /// One of these statuses; the body may differ between frameworks.
    Status(&'static [u16]),
}

/// The parts of a response that are compared.
struct Observed {
    status: u16,
    content_type: String,
    body: String,
}

impl From<http::Response> for Observed {
    fn from(response: http::Response) -> Self {
        Self {
            status: response.status,
            content_type: response.header("content-type").unwrap_or_default().into(),
            body: response.text(),
        }
    }
}

const ECHO: &str = r#"{"subject":"Straße \"7\"","body":"a\\b\nc 伊藤","priority":4,"email":"ann@example.com","tags":["a","b"]}"#;
const SHORT: &str = r#"{"subject":"s","body":"b","priority":1,"email":"a@example.com","tags":[]}"#;

fn checks() -> Vec<Check> {
    use Expectation::{Exactly, Same, Status};
    const INVALID: Expectation = Status(&[422, 400]);
    let get = |case, target: String, expected| Check {
        case,
        request: Request::get(target),
        expected,
    };
    let post = |case, target: &str, body: &str, expected| Check {
        case,
        request: Request::post(target, body),
        expected,
    };
    let long = "x".repeat(201);
    let echo = |from: &str, to: &str| SHORT.replace(from, to);
    let ticket = r#"{"subject":"A \"new\" one","body":"b","priority":3}"#;
    vec![
        get(
            1,
            "/json".into(),
            Exactly(200, r#"{"message":"Hello, World!"}"#),
        ),
        post(2, "/echo", ECHO, Exactly(200, ECHO)),
        post(2, "/echo", SHORT, Exactly(200, SHORT)),
        post(2, "/echo", &echo(r#""s""#, r#""""#), INVALID),
        post(2, "/echo", &echo(r#""s""#, &format!("\"{long}\"")), INVALID),
        post(2, "/echo", &echo(":1,", ":5,"), INVALID),
        post(2, "/echo", &echo("a@example.com", "no-address"), INVALID),
        post(2, "/echo", &echo("[]", r#"[""]"#), INVALID),
        post(
            2,
            "/echo",
            &echo("[]", r#"["1","2","3","4","5","6","7","8","9","10","11"]"#),
            INVALID,
        ),
        post(2, "/echo", "{", INVALID),
        // Some of the first hundred have no assignee.
        get(3, "/rows/1".into(), Same(200)),
        get(3, format!("/rows/{TICKETS}"), Same(200)),
        get(3, format!("/rows/{}", TICKETS + 1), Status(&[404])),
        get(4, "/many/1".into(), Same(200)),
        get(4, "/many/7777".into(), Same(200)),
        get(5, format!("/page?before={}", TICKETS + 1), Same(200)),
        get(5, "/page?before=51".into(), Same(200)),
        get(5, "/page?before=21".into(), Same(200)),
        post(6, "/tickets", ticket, Same(201)),
        post(6, "/tickets", &ticket.replace(":3", ":0"), INVALID),
    ]
    .into_iter()
    .chain((2..=100).map(|id| get(3, format!("/rows/{id}"), Same(200))))
    .collect()
}

/// Sends every request to every server, on each database of the run.
pub(crate) fn all(options: &Options, launcher: &Launcher<'_>) -> Result {
    let checks = checks();
    // Both databases hold the same rows, so the first response is the reference for both.
    let mut references: Vec<Option<(String, Observed)>> = checks.iter().map(|_| None).collect();
    let mut compared = 0;
    for store in options.stores() {
        let cases: Vec<&Case> = options.cases_on(store).collect();
        for server in launcher.start_all(&options.contestants_on(store), store)? {
            // The previous server has inserted rows.
            launcher.databases.reset(store)?;
            requires_token(&server)?;
            for (check, reference) in checks.iter().zip(&mut references) {
                if !cases.iter().any(|case| case.number == check.case) {
                    continue;
                }
                let name = format!("{} ({})", server.contestant.name, store.title());
                let response = masked(check.case, server.send(&check.request, true)?.into());
                let why = match reference {
                    None => objection(&check.expected, &response, None),
                    Some((first, known)) => {
                        objection(&check.expected, &response, Some((first.as_str(), known)))
                    }
                };
                if let Some(why) = why {
                    let (request, case) = (&check.request, check.case);
                    let shown = show(&response);
                    return Err(Failure::new(format!(
                        "case {case}: {request}\n{name}: {why}\n  {name}:\n    {shown}"
                    )));
                }
                compared += 1;
                reference.get_or_insert((name, response));
            }
        }
    }
    println!("compared {compared} responses: equal, byte for byte");
    Ok(())
}

/// Fails if an equipped server accepts a request without a token.
fn requires_token(server: &Server) -> Result {
    if server.token.is_none() {
        return Ok(());
    }
    let status = server.send(&Request::get("/json"), false)?.status;
    if status == 401 {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} responds with {status} to a request without a token, not with 401",
        server.contestant.name
    )))
}

/// Returns the difference from the expected response or from the first one.
fn objection(
    expected: &Expectation,
    response: &Observed,
    first: Option<(&str, &Observed)>,
) -> Option<String> {
    let status = match expected {
        Expectation::Status(good) => {
            return (!good.contains(&response.status))
                .then(|| format!("the status is {}, not one of {good:?}", response.status));
        }
        Expectation::Same(status) | Expectation::Exactly(status, _) => *status,
    };
    if response.status != status {
        return Some(format!("the status is {}, not {status}", response.status));
    }
    if media_type(response) != "application/json" {
        return Some(format!(
            "the content type is `{}`, not `application/json`",
            response.content_type
        ));
    }
    if let Expectation::Exactly(_, body) = expected
        && response.body != *body
    {
        return Some(format!("the body is not {body}"));
    }
    let (name, known) = first?;
    (known.body != response.body)
        .then(|| format!("not the response of {name}:\n    {}", show(known)))
}

fn media_type(response: &Observed) -> &str {
    response
        .content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
}

fn show(response: &Observed) -> String {
    format!(
        "{} {} {}",
        response.status, response.content_type, response.body
    )
}

/// Masks the key of an inserted row, which depends on earlier inserts.
fn masked(case: u8, mut response: Observed) -> Observed {
    const KEY: &str = r#"{"id":"#;
    if case == crate::cases::INSERT
        && let Some(rest) = response.body.strip_prefix(KEY)
    {
        let after = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        response.body = format!("{KEY}…{after}");
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, body: &str) -> Observed {
        Observed {
            status,
            content_type: "application/json; charset=utf-8".into(),
            body: body.into(),
        }
    }

    #[test]
    fn one_byte_is_a_difference() {
        let first = response(200, "[1]");
        let objection_to = |seen| objection(&Expectation::Same(200), &seen, Some(("axum", &first)));
        assert_eq!(objection_to(response(200, "[1]")), None);
        assert!(
            objection_to(response(200, "[1] "))
                .unwrap()
                .contains("axum")
        );
        assert!(objection_to(response(500, "[1]")).unwrap().contains("500"));
        let plain = Observed {
            content_type: "text/plain".into(),
            ..response(200, "[1]")
        };
        assert!(objection_to(plain).unwrap().contains("text/plain"));
    }

    #[test]
    fn the_first_response_is_checked_too() {
        assert!(
            objection(
                &Expectation::Exactly(200, "[]"),
                &response(200, "[1]"),
                None
            )
            .is_some()
        );
        assert!(objection(&Expectation::Status(&[422, 400]), &response(200, ""), None).is_some());
        assert!(objection(&Expectation::Status(&[422, 400]), &response(400, ""), None).is_none());
    }

    #[test]
    fn only_the_key_of_a_new_row_is_masked() {
        let body = r#"{"id":10001,"priority":3}"#;
        assert_eq!(
            masked(6, response(201, body)).body,
            r#"{"id":…,"priority":3}"#
        );
        assert_eq!(masked(3, response(200, body)).body, body);
        assert_eq!(
            masked(6, response(201, r#"{"id":"7"}"#)).body,
            r#"{"id":…"7"}"#
        );
    }

    #[test]
    fn every_case_is_compared() {
        let checks = checks();
        for case in crate::cases::CASES {
            assert!(
                checks.iter().any(|check| check.case == case.number),
                "{}",
                case.number
            );
        }
    }
}
