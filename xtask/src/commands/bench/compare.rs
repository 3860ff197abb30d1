//! Before the race: everybody gives the same answers, byte for byte, or they are not doing the same work.

use super::cases::Case;
use super::options::Options;
use super::rows::TICKETS;
use super::server::{Question, Server, Yard};
use crate::failure::{Failure, Result};
use crate::http::Answer;

/// What is asked, and what counts as an answer.
struct Check {
    case: u8,
    question: Question,
    wants: Wants,
}

enum Wants {
    /// This status and a JSON body that is the same for everybody.
    Same(u16),
    /// The same, and this is the body.
    Exactly(u16, &'static str),
    /// One of these; what stands in the body is each framework's own.
    Status(&'static [u16]),
}

const ECHO: &str = r#"{"subject":"Straße \"7\"","body":"a\\b\nc 伊藤","priority":4,"email":"ann@example.com","tags":["a","b"]}"#;
const SHORT: &str = r#"{"subject":"s","body":"b","priority":1,"email":"a@example.com","tags":[]}"#;

fn checks() -> Vec<Check> {
    use Wants::{Exactly, Same, Status};
    const BROKEN: Wants = Status(&[422, 400]);
    let get = |case, target: String, wants| Check {
        case,
        question: Question::get(target),
        wants,
    };
    let post = |case, target: &str, body: &str, wants| Check {
        case,
        question: Question::post(target, body),
        wants,
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
        post(2, "/echo", &echo(r#""s""#, r#""""#), BROKEN),
        post(2, "/echo", &echo(r#""s""#, &format!("\"{long}\"")), BROKEN),
        post(2, "/echo", &echo(":1,", ":5,"), BROKEN),
        post(2, "/echo", &echo("a@example.com", "nobody"), BROKEN),
        post(2, "/echo", &echo("[]", r#"[""]"#), BROKEN),
        post(
            2,
            "/echo",
            &echo("[]", r#"["1","2","3","4","5","6","7","8","9","10","11"]"#),
            BROKEN,
        ),
        post(2, "/echo", "{", BROKEN),
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
        post(6, "/tickets", &ticket.replace(":3", ":0"), BROKEN),
    ]
    .into_iter()
    .chain((2..=100).map(|id| get(3, format!("/rows/{id}"), Same(200))))
    .collect()
}

/// Asks everybody everything, on every database that is in the race.
pub(super) fn all(options: &Options, yard: &Yard<'_>) -> Result {
    let checks = checks();
    // The databases hold the same rows, so one answer holds for both.
    let mut heard: Vec<Option<(String, Answer)>> = checks.iter().map(|_| None).collect();
    let mut compared = 0;
    for store in options.stores() {
        let cases: Vec<&Case> = options.cases_on(store).collect();
        for server in yard.start_all(&options.contestants_on(store), store)? {
            // The one before has inserted.
            yard.databases.reset(store)?;
            refuses_strangers(&server)?;
            for (check, heard) in checks.iter().zip(&mut heard) {
                if !cases.iter().any(|case| case.number == check.case) {
                    continue;
                }
                let who = format!("{} ({})", server.contestant.name, store.title());
                let answer = masked(check.case, server.ask(&check.question, true)?);
                let why = match heard {
                    None => objection(&check.wants, &answer, None),
                    Some((first, said)) => {
                        objection(&check.wants, &answer, Some((first.as_str(), said)))
                    }
                };
                if let Some(why) = why {
                    let (question, case) = (&check.question, check.case);
                    let shown = show(&answer);
                    return Err(Failure::new(format!(
                        "case {case}: {question}\n{who}: {why}\n  {who}:\n    {shown}"
                    )));
                }
                compared += 1;
                heard.get_or_insert((who, answer));
            }
        }
    }
    println!("compared {compared} answers: equal, byte for byte");
    Ok(())
}

/// An equipped server knows its callers.
fn refuses_strangers(server: &Server) -> Result {
    if server.token.is_none() {
        return Ok(());
    }
    let status = server.ask(&Question::get("/json"), false)?.status;
    if status == 401 {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{} answers {status} to a request without a token, not 401",
        server.contestant.name
    )))
}

/// What is wrong with this answer, beside the one that was heard first.
fn objection(wants: &Wants, answer: &Answer, first: Option<(&str, &Answer)>) -> Option<String> {
    let status = match wants {
        Wants::Status(good) => {
            return (!good.contains(&answer.status))
                .then(|| format!("the status is {}, not one of {good:?}", answer.status));
        }
        Wants::Same(status) | Wants::Exactly(status, _) => *status,
    };
    if answer.status != status {
        return Some(format!("the status is {}, not {status}", answer.status));
    }
    if media_type(answer) != "application/json" {
        return Some(format!(
            "the content type is `{}`, not `application/json`",
            answer.content_type
        ));
    }
    if let Wants::Exactly(_, body) = wants
        && answer.body != *body
    {
        return Some(format!("the body is not {body}"));
    }
    let (name, said) = first?;
    (said.body != answer.body).then(|| format!("not the answer of {name}:\n    {}", show(said)))
}

fn media_type(answer: &Answer) -> &str {
    answer
        .content_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
}

fn show(answer: &Answer) -> String {
    format!("{} {} {}", answer.status, answer.content_type, answer.body)
}

/// The key of an inserted row depends on who came before.
fn masked(case: u8, mut answer: Answer) -> Answer {
    const KEY: &str = r#"{"id":"#;
    if case == super::cases::INSERT
        && let Some(rest) = answer.body.strip_prefix(KEY)
    {
        let after = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        answer.body = format!("{KEY}…{after}");
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            content_type: "application/json; charset=utf-8".into(),
            body: body.into(),
        }
    }

    #[test]
    fn one_byte_is_a_difference() {
        let first = answer(200, "[1]");
        let objects = |said| objection(&Wants::Same(200), &said, Some(("axum", &first)));
        assert_eq!(objects(answer(200, "[1]")), None);
        assert!(objects(answer(200, "[1] ")).unwrap().contains("axum"));
        assert!(objects(answer(500, "[1]")).unwrap().contains("500"));
        let plain = Answer {
            content_type: "text/plain".into(),
            ..answer(200, "[1]")
        };
        assert!(objects(plain).unwrap().contains("text/plain"));
    }

    #[test]
    fn the_first_answer_is_judged_too() {
        assert!(objection(&Wants::Exactly(200, "[]"), &answer(200, "[1]"), None).is_some());
        assert!(objection(&Wants::Status(&[422, 400]), &answer(200, ""), None).is_some());
        assert!(objection(&Wants::Status(&[422, 400]), &answer(400, ""), None).is_none());
    }

    #[test]
    fn only_the_key_of_a_new_row_is_masked() {
        let body = r#"{"id":10001,"priority":3}"#;
        assert_eq!(
            masked(6, answer(201, body)).body,
            r#"{"id":…,"priority":3}"#
        );
        assert_eq!(masked(3, answer(200, body)).body, body);
        assert_eq!(
            masked(6, answer(201, r#"{"id":"7"}"#)).body,
            r#"{"id":…"7"}"#
        );
    }

    #[test]
    fn every_case_is_compared() {
        let checks = checks();
        for case in super::super::cases::CASES {
            assert!(
                checks.iter().any(|check| check.case == case.number),
                "{}",
                case.number
            );
        }
    }
}
