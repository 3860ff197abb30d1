//! Each type at its ends: the last value comes back as it was sent, and the next one is refused.

use std::collections::BTreeMap;

use doyen::prelude::*;
use serde_json::{Value as FreeJson, json};

use super::{Day, Samples};

/// Field, the JSON that is stored and returned unchanged, the JSON that is refused.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

const ENDS: &[Case] = &[
    ("tiny", &["-128", "127"], &["-129", "128"]),
    ("small", &["-32768", "32767"], &["-32769", "32768"]),
    (
        "medium",
        &["-2147483648", "2147483647"],
        &["-2147483649", "2147483648"],
    ),
    (
        "big",
        &[
            "-9223372036854775808",
            "9223372036854775807",
            "9007199254740993",
        ],
        &[
            "-9223372036854775809",
            "9223372036854775808",
            "18446744073709551616",
            "-9223372036854775808.0",
            "9007199254740993.0",
            "9007199254740992.0",
            "-9007199254740993e0",
            "1e300",
            "0.5",
        ],
    ),
    ("byte", &["0", "255"], &["-1", "256"]),
    ("word", &["0", "65535"], &["-1", "65536"]),
    ("count", &["0", "4294967295"], &["-1", "4294967296"]),
    (
        "huge",
        &["0", "18446744073709551615"],
        &["-1", "18446744073709551616", "9007199254740993.0"],
    ),
    (
        "ratio",
        &[
            "1.7976931348623157e308",
            "-1.7976931348623157e308",
            "5e-324",
            "0.1",
        ],
        &[],
    ),
    (
        "at",
        &[
            r#""0001-01-01T00:00:00.000000Z""#,
            r#""9999-12-31T23:59:59.999999Z""#,
        ],
        &[
            r#""0000-12-31T23:59:59.999999Z""#,
            r#""0001-01-01T00:00:00+00:01""#,
            r#""9999-12-31T23:59:60Z""#,
            r#""9999-12-31T23:59:59.999999-00:01""#,
            r#""+10000-01-01T00:00:00Z""#,
            r#""10000-01-01T00:00:00Z""#,
        ],
    ),
    (
        "day",
        &[r#""0001-01-01""#, r#""9999-12-31""#],
        &[r#""0000-12-31""#, r#""10000-01-01""#, r#""+10000-01-01""#],
    ),
    ("flag", &["true", "false"], &["2", "\"true\""]),
    ("label", &[r#""""#, r#""ü\n\u0001""#], &[r#""a\u0000b""#]),
];

fn fields() -> BTreeMap<&'static str, String> {
    let text = [
        ("tiny", "1"),
        ("small", "1"),
        ("medium", "1"),
        ("big", "1"),
        ("byte", "1"),
        ("word", "1"),
        ("count", "1"),
        ("huge", "1"),
        ("ratio", "1.5"),
        ("at", r#""2026-11-22T08:30:00.000000Z""#),
        ("day", r#""2026-11-22""#),
        ("flag", "true"),
        ("label", r#""a""#),
    ];
    text.map(|(name, text)| (name, text.to_owned())).into()
}

/// A body with this JSON in one field.
fn body(id: i64, field: &str, text: &str) -> String {
    let mut fields = fields();
    let mut free = "{}";
    match fields.get_mut(field) {
        Some(value) => text.clone_into(value),
        None => free = text,
    }
    let scalars: Vec<String> = fields
        .iter()
        .map(|(name, text)| format!("\"{name}\": {text}"))
        .collect();
    format!(
        r#"{{"id": {id}, "scalars": {{{}}}, "free": {free}}}"#,
        scalars.join(", ")
    )
}

#[doyen_test::test]
async fn a_value_comes_back_as_it_was_sent_or_is_refused(samples: Samples) {
    let mut id = 0;
    for (field, accepted, refused) in ENDS {
        for text in *accepted {
            id += 1;
            let sent: FreeJson = serde_json::from_str(text).unwrap();
            let kept = samples
                .post("/samples")
                .body("application/json", body(id, field, text))
                .send()
                .await
                .expect(201);
            assert_eq!(kept.at(&format!("/scalars/{field}")), sent, "{field}");
            let read = samples
                .get(format!("/samples/{id}"))
                .send()
                .await
                .expect(200);
            assert_eq!(read.json(), kept.json(), "{field}");
        }
        for text in *refused {
            let problem = samples
                .post("/samples")
                .body("application/json", body(1000, field, text))
                .send()
                .await
                .expect(422);
            let [failure] = &problem.failures()[..] else {
                panic!("{problem}");
            };
            assert!(
                failure.starts_with(&format!("/scalars/{field} ")),
                "{failure}"
            );
        }
    }
    assert_eq!(samples.count("samples").await, id);
}

#[doyen_test::test(sqlite)]
async fn a_parameter_comes_back_as_it_was_sent_or_is_refused(samples: Samples) {
    let plain = |text: &str| match serde_json::from_str(text).unwrap() {
        FreeJson::String(text) => text,
        // In the spelling that was sent: 1e300 is not a whole number, whatever its JSON is.
        _ => text.to_owned(),
    };
    let get = |field: &str, text: &str| {
        let mut call = samples.get("/echo");
        for (name, default) in fields() {
            let text = if name == field { text } else { &default };
            call = call.query(name, plain(text));
        }
        call.send()
    };
    for (field, accepted, refused) in ENDS {
        for text in *accepted {
            let sent: FreeJson = serde_json::from_str(text).unwrap();
            let echo = get(field, text).await.expect(200);
            assert_eq!(echo.at(&format!("/{field}")), sent, "{field}");
        }
        // In text, `true` has no other type.
        for text in refused.iter().filter(|text| **text != "\"true\"") {
            let problem = get(field, text).await.expect(422);
            let [failure] = &problem.failures()[..] else {
                panic!("{problem}");
            };
            assert!(failure.starts_with(&format!("/{field} ")), "{failure}");
        }
    }
}

/// PostgreSQL cannot store the NUL character. What one database accepts, the other accepts too.
#[doyen_test::test]
async fn free_json_has_no_nul_character(samples: Samples) {
    for (text, pointer) in [
        (r#""\u0000""#, "/free"),
        (r#"{"a": [1, {"b": "x\u0000y"}]}"#, "/free/a/1/b"),
        (r#"{"a": {"b\u0000": 1}}"#, "/free/a/b\0"),
    ] {
        let problem = samples
            .post("/samples")
            .body("application/json", body(1, "free", text))
            .send()
            .await
            .expect(422);
        assert_eq!(problem.failures(), [format!("{pointer} characters")]);
    }
    let text = r#"{"\\u0000": "\\u0000"}"#;
    let kept = samples
        .post("/samples")
        .body("application/json", body(1, "free", text))
        .send()
        .await
        .expect(201);
    assert_eq!(kept.at("/free"), json!({"\\u0000": "\\u0000"}));
}

/// A response whose schema promises a number.
#[derive(Output)]
pub struct Reading<T: Output> {
    value: T,
}

fn odd(kind: &str) -> f64 {
    match kind {
        "nan" => f64::NAN,
        "infinity" => f64::INFINITY,
        "minus" => f64::NEG_INFINITY,
        _ => 1.5,
    }
}

#[get("/odd/number/{kind}", allow = anyone)]
pub async fn number(kind: String) -> Json<Reading<f64>> {
    Json(Reading { value: odd(&kind) })
}

#[get("/odd/optional/{kind}", allow = anyone, sparse)]
pub async fn optional(kind: String) -> Json<Reading<Option<f64>>> {
    Json(Reading {
        value: Some(odd(&kind)),
    })
}

#[get("/odd/list/{kind}", allow = anyone)]
pub async fn list(kind: String) -> Json<Reading<Vec<Vec<f64>>>> {
    Json(Reading {
        value: vec![vec![], vec![0.0, odd(&kind)]],
    })
}

/// A number of single precision.
#[derive(Output)]
pub struct Single {
    value: f32,
}

#[get("/odd/single/{kind}", allow = anyone)]
pub async fn single(kind: String) -> Json<Single> {
    Json(Single {
        value: odd(&kind) as f32,
    })
}

#[get("/odd/map/{kind}", allow = anyone)]
pub async fn map(kind: String) -> Json<Reading<BTreeMap<String, f64>>> {
    Json(Reading {
        value: [("a".to_owned(), odd(&kind))].into(),
    })
}

#[get("/odd/whole/{kind}", allow = anyone)]
pub async fn whole(kind: String) -> Json<Vec<f64>> {
    Json(vec![odd(&kind)])
}

#[get("/odd/page/{kind}", allow = anyone, sparse)]
pub async fn page(kind: String) -> Page<Reading<f64>> {
    Page {
        items: vec![Reading { value: odd(&kind) }],
        limit: 1,
        next: None,
        prev: None,
        total: None,
    }
}

#[get("/odd/day/{kind}", allow = anyone)]
pub async fn day(kind: String) -> Json<Reading<Day>> {
    let year = match &*kind {
        "nan" => 0,
        "infinity" => 10_000,
        "minus" => -1,
        _ => 9_999,
    };
    Json(Reading {
        value: Day::from_ymd_opt(year, 12, 31).unwrap_or_default(),
    })
}

#[doyen_test::test(sqlite)]
async fn a_response_holds_what_its_schema_promises_or_fails(samples: Samples) {
    for route in [
        "number", "optional", "list", "single", "map", "whole", "page", "day",
    ] {
        samples
            .get(format!("/odd/{route}/one"))
            .send()
            .await
            .expect(200);
        for kind in ["nan", "infinity", "minus"] {
            let target = format!("/odd/{route}/{kind}");
            samples.get(&target).send().await.expect(500);
        }
    }
    for route in ["optional", "page"] {
        let target = format!("/odd/{route}/nan?fields=value");
        samples.get(&target).send().await.expect(500);
    }
}
