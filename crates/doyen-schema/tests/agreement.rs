//! Schema and validation agree: for any value, an independent JSON Schema validator and
//! `Input::parse` have the same result.

#![allow(dead_code, reason = "what is read is not looked at")]

extern crate doyen_schema as doyen;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use doyen_core::id::Named;
use doyen_core::{At, Failures, Id, Patch, Place, Timestamp};
use doyen_schema::input::json::{self, Limits};
use doyen_schema::{Components, Input};
use jsonschema::Validator;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use uuid::Uuid;

#[derive(Input)]
#[input(rename_all = "camelCase")]
struct Everything {
    yes: bool,
    tiny: i8,
    #[validate(range(min = 1, max = 100))]
    count: u32,
    big: Option<i64>,
    huge: u64,
    #[validate(range(exclusive_min = 0, max = 2.5))]
    ratio: f64,
    #[validate(range(min = -10, max = 10), multiple_of = 5)]
    step: i32,
    #[validate(multiple_of = 3)]
    third: Option<i64>,
    #[validate(range(min = 2, max = 900), multiple_of = 2)]
    pages: Option<usize>,
    #[validate(length(min = 2, max = 4))]
    word: String,
    #[validate(length(max = 3), pattern = "^[a-z0-9-]+$")]
    slug: Patch<String>,
    #[validate(pattern = r"^\w+\s?\d*.$")]
    odd: Option<String>,
    #[validate(pattern = r"\S-\D")]
    part: Option<String>,
    #[validate(email)]
    mail: Option<String>,
    #[validate(display_name)]
    name: Option<String>,
    #[validate(url)]
    link: Patch<Option<String>>,
    #[input(default)]
    #[validate(items(max = 2))]
    labels: Patch<Vec<Priority>>,
    #[input(default)]
    urgency: Patch<Priority>,
    #[validate(
        items(min = 1, max = 3),
        unique_items,
        each(length(min = 1), pattern = "^[ab]*$")
    )]
    tags: Option<Vec<String>>,
    #[validate(each(range(max = 3)))]
    numbers: Vec<Option<u8>>,
    #[validate(items(max = 2), each(items(max = 1)))]
    nested: Option<Vec<Vec<bool>>>,
    letter: Option<char>,
    #[input(default)]
    priority: Priority,
    maybe: Option<Priority>,
    id: Option<Id<Ticket>>,
    uuid: Option<Uuid>,
    date: Option<NaiveDate>,
    time: Option<Timestamp>,
    map: Option<BTreeMap<String, u8>>,
    any: Option<Json>,
    child: Option<Box<Child>>,
    channel: Option<Channel>,
    percent: Option<Percent>,
    code: Option<Code>,
    open: Option<Open>,
}

#[derive(Input, Default)]
enum Priority {
    #[default]
    Low,
    High,
}

struct Ticket;
impl Named for Ticket {
    const PREFIX: &'static str = "tkt";
}

#[derive(Input)]
struct Child {
    name: String,
    #[input(default)]
    children: Vec<Child>,
}

#[derive(Input)]
#[input(tag = "kind")]
enum Channel {
    Mail(Child),
    Text {
        #[validate(length(max = 2))]
        number: String,
    },
    Nowhere,
    Open(Open),
}

#[derive(Input)]
struct Percent(#[validate(range(min = 0, max = 100))] u8);

#[derive(Input)]
#[input(parse_with = Code::read, pattern = "^[A-Z]{2}[0-9]?$")]
struct Code(String);

impl Code {
    fn read(text: &str) -> Result<Self, std::convert::Infallible> {
        Ok(Self(text.to_owned()))
    }
}

#[derive(Input)]
#[input(allow_unknown)]
struct Open {
    a: Option<u8>,
}

/// Valid values for every field.
fn right() -> Json {
    json!({
        "yes": true, "tiny": -128, "count": 1, "big": 9_007_199_254_740_993_i64, "huge": u64::MAX, "ratio": 2.5, "step": -5,
        "third": 9, "pages": 4, "word": "äöü", "slug": "a-1", "odd": "abc 12x", "part": "a-b", "mail": "a.b@c-d.example", "link": "https://a.example/x?y#z",
        "tags": ["a", "b"], "numbers": [1, null, 3], "nested": [[true], []], "letter": "ü", "priority": "high", "maybe": null,
        "id": "tkt_01jd9m3z6veqjsk4dy2hjcg8x4", "uuid": "0190b5a0-0000-7000-8000-000000000000", "date": "2024-02-29",
        "time": "2026-11-22T08:30:00.5+01:00", "map": {"a": 1}, "any": [{}], "child": {"name": "x", "children": [{"name": "y"}]},
        "channel": {"kind": "mail", "name": "z"}, "percent": 100, "code": "AB1", "open": {"a": 1, "b": 2},
        "labels": null, "urgency": null,
    })
}

fn validator() -> Validator {
    let mut all = Components::new();
    let root = Everything::schema(&mut all);
    let named = all.finish().unwrap();
    let mut root = root.into_json();
    named.settle(&mut root);
    let schemas: serde_json::Map<String, Json> = named
        .schemas
        .into_iter()
        .map(|(name, schema)| (name, schema.into_json()))
        .collect();
    root["components"] = json!({ "schemas": schemas });
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&root)
        .unwrap()
}

thread_local! {
    static VALIDATOR: Validator = validator();
}

/// Both results: that of the validator and that of `parse`.
fn verdicts(value: &Json) -> (bool, bool) {
    let text = value.to_string();
    let read = json::parse(text.as_bytes(), &Limits::default()).unwrap();
    let mut out = Failures::new();
    let ours = Everything::parse(read, &At::root(Place::Body), &mut out).is_some();
    assert_eq!(ours, out.is_empty());
    (VALIDATOR.with(|validator| validator.is_valid(value)), ours)
}

#[track_caller]
fn agree(value: &Json) {
    let (theirs, ours) = verdicts(value);
    assert!(
        theirs == ours || (theirs && is_beyond_schemas(value)),
        "the schema says {theirs}, the check {ours}: {value}"
    );
}

/// Returns true for a value with something that is refused and that a schema cannot exclude: a
/// number that may have lost digits, a NUL character in a `serde_json::Value`, a time in the year
/// 0.
fn is_beyond_schemas(value: &Json) -> bool {
    match value {
        Json::Number(number) => {
            number.is_f64() && number.as_f64().is_some_and(|n| n.abs() >= 2_f64.powi(53))
        }
        Json::String(text) => text.contains('\0') || text.starts_with("0000-"),
        Json::Array(items) => items.iter().any(is_beyond_schemas),
        Json::Object(entries) => entries
            .iter()
            .any(|(name, value)| name.contains('\0') || is_beyond_schemas(value)),
        Json::Null | Json::Bool(_) => false,
    }
}

fn with(field: &str, value: Json) -> Json {
    let mut whole = right();
    whole[field] = value;
    whole
}

#[test]
fn the_valid_value_is_valid_for_both() {
    assert_eq!(verdicts(&right()), (true, true));
}

#[test]
fn each_field_may_be_missing_for_both_or_for_none() {
    let names: Vec<String> = right().as_object().unwrap().keys().cloned().collect();
    for name in names {
        let mut value = right();
        value.as_object_mut().unwrap().remove(&name);
        agree(&value);
        agree(&with(&name, Json::Null));
    }
}

#[test]
fn numbers_at_every_edge() {
    let mut edges: Vec<Json> = Vec::new();
    for whole in [
        0_i128,
        1,
        3,
        5,
        10,
        100,
        127,
        255,
        1 << 31,
        1 << 32,
        1 << 53,
        i128::from(i64::MAX),
        i128::from(u64::MAX),
    ] {
        for near in [-1, 0, 1] {
            for sign in [1, -1] {
                let number = sign * whole + near;
                edges.extend(i64::try_from(number).map(Json::from));
                edges.extend(u64::try_from(number).map(Json::from));
                edges.push(json!(number as f64));
            }
        }
    }
    let floats = [
        -0.0,
        0.1,
        0.5,
        1.5,
        2.5,
        2.500_000_000_000_000_4,
        5e-324,
        1e16,
        1e300,
        -1e300,
        f64::MAX,
    ];
    edges.extend(floats.map(|float| json!(float)));
    for field in [
        "tiny", "count", "big", "huge", "ratio", "step", "third", "pages", "percent", "yes", "word",
    ] {
        for edge in &edges {
            agree(&with(field, edge.clone()));
        }
    }
}

#[test]
fn formats_at_their_edges() {
    let times = [
        "2026-11-22T08:30:00Z",
        "2026-11-22t08:30:00z",
        "2026-11-22 08:30:00Z",
        "2026-11-22T08:30Z",
        "2026-11-22T24:00:00Z",
        "2026-11-22T08:60:00Z",
        "2026-02-29T08:30:00Z",
        "2026-11-22T08:30:00",
        "2026-11-22T08:30:00+0100",
        "2026-11-22T08:30:00+24:00",
        "2026-11-22T08:30:00.Z",
        "2026-11-22T08:30:00.123456789Z",
        "2026-11-22T08:30:00,5Z",
        "2016-12-31T23:59:60Z",
        "2026-11-22T08:30:60Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "2026-11-22T08:30:00-00:00",
        "2026-11-22T08:30:00+01:60",
        " 2026-11-22T08:30:00Z",
        "2026-11-22T08:30:00Z\n",
        "2026-11-22T08:30:00+1:00",
        "2026-1-22T08:30:00Z",
        "+2026-11-22T08:30:00Z",
        "2026-11-22T08:30:00−01:00",
        "",
    ];
    let dates = [
        "2024-02-29",
        "2023-02-29",
        "2024-13-01",
        "2024-00-10",
        "2024-1-1",
        "0000-01-01",
        "10000-01-01",
        "-001-01-01",
        "2024-02-29Z",
        "٢٠٢٤-٠١-٠١",
    ];
    let uuids = [
        "0190B5A0-0000-7000-8000-000000000000",
        "0190b5a000007000800000000000000",
        "0190b5a0000070008000000000000000",
        "{0190b5a0-0000-7000-8000-000000000000}",
        "urn:uuid:0190b5a0-0000-7000-8000-000000000000",
        "0190b5a0-0000-7000-8000-00000000000g",
        "0190b5a0-00007000-8000-0000-00000000",
        "00000000-0000-0000-0000-000000000000",
    ];
    let ids = [
        "tkt_01jd9m3z6veqjsk4dy2hjcg8x4",
        "tkt_81jd9m3z6veqjsk4dy2hjcg8x4",
        "tkt_01jd9m3z6veqjsk4dy2hjcg8xu",
        "TKT_01jd9m3z6veqjsk4dy2hjcg8x4",
    ];
    let mails = [
        "a@b.co",
        "a@b",
        "a..b@c.de",
        "a@b_c.de",
        "a@[1.2.3.4]",
        "\"a b\"@c.de",
        "ä@b.de",
        "a@xn--bcher-kva.example",
        "a@b.co\n",
        "a@-b.de",
        "a@1.2",
    ];
    let links = [
        "http://a",
        "https://a.example:1/",
        "https://a.example:99999/",
        "https://a/%zz",
        "https://a/ü",
        "https://u@a/",
        "ftp://a/",
        "http://",
        "http://a/b c",
        "http://[::1]/",
        "http://a/?[x]",
        "http://a#x#y",
        "HTTP://a",
        "http://a:",
        "http://1.2.3.4.5",
        "http://999.1.1.1/",
    ];
    let lists: [(&str, &[&str]); 6] = [
        ("time", &times),
        ("date", &dates),
        ("uuid", &uuids),
        ("id", &ids),
        ("mail", &mails),
        ("link", &links),
    ];
    for (field, texts) in lists {
        for text in texts {
            agree(&with(field, json!(text)));
        }
    }
    for length in [63, 64, 65, 66] {
        agree(&with(
            "mail",
            json!(format!("{}@b.example", "a".repeat(length))),
        ));
        agree(&with(
            "mail",
            json!(format!("a@{}.example", "b".repeat(length))),
        ));
    }
    for length in 250..258 {
        let domain = "b".repeat(60);
        agree(&with(
            "mail",
            json!(format!(
                "a@{domain}.{domain}.{domain}.{}",
                "c".repeat(length - 185)
            )),
        ));
    }
}

#[test]
fn dates_of_every_year_and_month() {
    for year in [1, 4, 100, 400, 1900, 2000, 2023, 2024, 9999] {
        for month in 0..=13 {
            for day in [0, 1, 28, 29, 30, 31, 32] {
                agree(&with(
                    "date",
                    json!(format!("{year:04}-{month:02}-{day:02}")),
                ));
                agree(&with(
                    "time",
                    json!(format!("{year:04}-{month:02}-{day:02}T00:00:00Z")),
                ));
            }
        }
    }
}

#[test]
fn shapes_inside_shapes() {
    for channel in [
        json!({"kind": "mail"}),
        json!({"kind": "mail", "name": "a", "x": 1}),
        json!({"kind": "text", "number": "12"}),
        json!({"kind": "text", "number": "123"}),
        json!({"kind": "nowhere"}),
        json!({"kind": "nowhere", "a": 1}),
        json!({"kind": 1}),
        json!({"kind": "MAIL", "name": "a"}),
        json!({}),
        json!([]),
        json!("mail"),
        json!({"kind": "open", "z": 1}),
        json!({"kind": "open", "a": -1}),
    ] {
        agree(&with("channel", channel));
    }
    for child in [
        json!({"name": "a", "children": null}),
        json!({"name": "a", "children": [{"name": "b", "children": [{}]}]}),
        json!({"name": 1}),
    ] {
        agree(&with("child", child));
    }
    for map in [
        json!({}),
        json!({"a\u{0}": 1}),
        json!({"a": 256}),
        json!({"a": 1.0}),
        json!([]),
    ] {
        agree(&with("map", map));
    }
    for open in [
        json!({}),
        json!({"a": null}),
        json!({"a": "x", "b": 1}),
        json!({"\u{0}": 1}),
    ] {
        agree(&with("open", open));
    }
}

/// Text around the limits: few letters, of the kinds that parsers disagree about.
fn text() -> impl Strategy<Value = String> {
    let letters = proptest::sample::select(vec![
        'a', 'b', 'A', 'Z', '0', '9', '-', '_', '.', ' ', '\n', '\r', '\t', '\0', '\u{b}',
        '\u{a0}', '\u{85}', '\u{180e}', '\u{2028}', '\u{feff}', 'ä', 'é', 'ß', '٣', '🎈',
        '\u{301}', '@', '/', ':', '%',
    ]);
    proptest::collection::vec(letters, 0..8).prop_map(|letters| letters.into_iter().collect())
}

fn number() -> impl Strategy<Value = Json> {
    prop_oneof![
        (-130_i64..300).prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<u64>().prop_map(Json::from),
        (-300_i32..300).prop_map(|tenths| json!(f64::from(tenths) / 10.0)),
        any::<f64>()
            .prop_filter("finite", |float| float.is_finite())
            .prop_map(|float| json!(float)),
    ]
}

fn anything() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        number(),
        text().prop_map(Json::from),
        proptest::sample::select(vec!["low", "high", "mail", "a", "b", "AB1", "kind"])
            .prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            proptest::collection::vec(
                (
                    proptest::sample::select(vec!["a", "kind", "name", "children", "number", "x"]),
                    inner
                ),
                0..4
            )
            .prop_map(|entries| Json::Object(
                entries
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()
            )),
        ]
    })
}

fn field() -> impl Strategy<Value = String> {
    let names: Vec<String> = right()
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .chain(["unknown".to_owned(), "Count".to_owned()])
        .collect();
    proptest::sample::select(names)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn anything_in_any_field(field in field(), value in anything()) {
        agree(&with(&field, value));
    }

    #[test]
    fn any_text_in_any_text(field in proptest::sample::select(vec!["word", "slug", "odd", "part", "mail", "link", "letter", "code", "id"]), text in text()) {
        agree(&with(field, json!(text)));
    }

    #[test]
    fn any_number_in_any_number(
        field in proptest::sample::select(vec!["tiny", "count", "big", "huge", "ratio", "step", "third", "pages", "percent"]),
        number in number(),
    ) {
        agree(&with(field, number));
    }

    #[test]
    fn any_list_in_any_list(
        field in proptest::sample::select(vec!["tags", "numbers", "nested"]),
        list in proptest::collection::vec(prop_oneof![anything(), Just(json!("a")), Just(json!("ab")), Just(json!(3)), Just(json!([true]))], 0..5),
    ) {
        agree(&with(field, Json::from(list)));
    }

    #[test]
    fn any_value(value in anything()) {
        agree(&value);
    }
}
