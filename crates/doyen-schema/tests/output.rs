//! `#[derive(Output)]` from outside: the output matches the schema.

extern crate doyen_schema as doyen;

use std::collections::BTreeMap;
use std::fmt;

use doyen_core::id::Named;
use doyen_core::{Id, Timestamp};
use doyen_schema::{Components, Input, Output};
use serde_json::{Value as Json, json};

/// The reference and the components, with their final names.
fn described<T: Output>() -> (Json, BTreeMap<String, Json>) {
    let mut all = Components::new();
    let mut root = T::schema(&mut all).into_json();
    let named = all.finish().unwrap();
    named.settle(&mut root);
    (
        root,
        named
            .schemas
            .into_iter()
            .map(|(name, schema)| (name, schema.into_json()))
            .collect(),
    )
}

/// Serializes the value and validates it against its schema.
fn written<T: Output>(value: &T) -> Json {
    let (mut root, schemas) = described::<T>();
    root["components"] = json!({ "schemas": schemas });
    let json = serde_json::to_value(value).unwrap();
    let errors: Vec<String> = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&root)
        .unwrap()
        .iter_errors(&json)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    json
}

struct Ticket;
impl Named for Ticket {
    const PREFIX: &'static str = "tkt";
}

/// How soon.
#[derive(Clone, Copy, Debug, PartialEq, Input, Output)]
enum Priority {
    Normal,
    #[input(rename = "urgent!")]
    #[output(rename = "urgent!")]
    Urgent,
}

/// A ticket, as its reporter sees it.
#[derive(Output)]
#[output(
    rename_all = "camelCase",
    etag = version,
    location = path,
    computed(
        /** Seconds since it was made. */
        age_seconds: u64 = Self::age,
        is_old: bool = Self::is_old,
    )
)]
struct TicketView {
    id: Id<Ticket>,
    /// What it is about.
    #[output(example = "Printer on fire")]
    subject_line: String,
    priority: Priority,
    assignee: Option<String>,
    #[output(skip_none)]
    closed_at: Option<Timestamp>,
    tags: Vec<Tag>,
    counts: BTreeMap<String, u32>,
    #[output(skip)]
    version: u64,
    #[output(rename = "class")]
    r#type: char,
}

impl TicketView {
    fn age(&self) -> u64 {
        self.version * 10
    }

    fn is_old(&self) -> bool {
        self.age() > 100
    }

    fn path(&self) -> String {
        format!("/v1/tickets/{}", self.id)
    }
}

#[derive(Output)]
struct Tag(String);

fn ticket() -> TicketView {
    TicketView {
        id: Id::from_uuid(uuid::Uuid::nil()),
        subject_line: "Hi".into(),
        priority: Priority::Urgent,
        assignee: None,
        closed_at: None,
        tags: vec![Tag("a".into())],
        counts: BTreeMap::from([("open".into(), 1)]),
        version: 7,
        r#type: 'x',
    }
}

#[test]
fn an_object_matches_its_schema() {
    assert_eq!(
        written(&ticket()),
        json!({
            "id": "tkt_00000000000000000000000000", "subjectLine": "Hi", "priority": "urgent!", "assignee": null, "tags": ["a"],
            "counts": {"open": 1}, "class": "x", "ageSeconds": 70, "isOld": false,
        })
    );
    assert_eq!(
        written(&TicketView {
            closed_at: Some(Timestamp::from_micros(0)),
            ..ticket()
        })["closedAt"],
        "1970-01-01T00:00:00.000000Z"
    );
}

#[test]
fn fields_are_written_in_the_order_of_the_struct() {
    let text = serde_json::to_string(&ticket()).unwrap();
    let places: Vec<_> = [
        "\"id\"",
        "\"subjectLine\"",
        "\"tags\"",
        "\"class\"",
        "\"ageSeconds\"",
    ]
    .map(|name| text.find(name).unwrap())
    .into();
    assert!(places.is_sorted(), "{text}");
}

#[test]
fn headers_come_from_fields_and_methods() {
    assert_eq!(ticket().etag().as_deref(), Some("7"));
    assert_eq!(
        ticket().location().as_deref(),
        Some("/v1/tickets/tkt_00000000000000000000000000")
    );
    const { assert!(TicketView::TAGGED && !Tag::TAGGED) };
    assert_eq!(Tag(String::new()).etag(), None);
}

#[test]
fn objects_are_closed_and_their_fields_required() {
    let (_, all) = described::<TicketView>();
    let view = &all["TicketView"];
    assert_eq!(view["additionalProperties"], json!(false));
    assert_eq!(
        view["required"],
        json!([
            "id",
            "subjectLine",
            "priority",
            "assignee",
            "tags",
            "counts",
            "class",
            "ageSeconds",
            "isOld"
        ])
    );
    assert_eq!(view["description"], "A ticket, as its reporter sees it.");
    assert_eq!(
        view["properties"]["subjectLine"],
        json!({"type": "string", "description": "What it is about.", "examples": ["Printer on fire"]})
    );
    assert_eq!(view["properties"]["closedAt"]["type"], "string");
    assert_eq!(
        view["properties"]["ageSeconds"]["description"],
        "Seconds since it was made."
    );
    assert!(view["properties"].get("version").is_none());
}

#[test]
fn an_enum_that_is_read_and_written_is_one_component() {
    let mut all = Components::new();
    <Priority as Input>::schema(&mut all);
    <Priority as Output>::schema(&mut all);
    let named = all.finish().unwrap();
    assert_eq!(named.schemas.keys().collect::<Vec<_>>(), ["Priority"]);
}

/// An inner type with two schemas, and an outer type that looks equal in both.
#[derive(Input, Output)]
struct Outside {
    inside: Inside,
}

#[derive(Input, Output)]
struct Inside {
    text: String,
}

#[test]
fn a_type_that_contains_one_with_two_schemas_has_two() {
    let mut all = Components::new();
    <Outside as Input>::schema(&mut all);
    <Outside as Output>::schema(&mut all);
    let named = all.finish().unwrap();
    assert_eq!(
        named.schemas.keys().collect::<Vec<_>>(),
        ["Inside", "InsideInput", "Outside", "OutsideInput"]
    );
    let inside = |name: &str| named.schemas[name].as_json()["properties"]["inside"]["$ref"].clone();
    assert_eq!(inside("Outside"), "#/components/schemas/Inside");
    assert_eq!(inside("OutsideInput"), "#/components/schemas/InsideInput");
}

#[derive(Output)]
struct Listing<T> {
    items: Vec<T>,
}

#[derive(Output)]
#[output(skip_none, computed(double: Option<u16> = Self::double))]
struct Sparse {
    a: Option<u8>,
    b: Option<Tag>,
}

impl Sparse {
    fn double(&self) -> Option<u16> {
        self.a.map(|a| u16::from(a) * 2)
    }
}

#[test]
fn generic_and_sparse_objects() {
    assert_eq!(
        written(&Listing {
            items: vec![
                Sparse { a: None, b: None },
                Sparse {
                    a: Some(1),
                    b: Some(Tag("x".into()))
                }
            ]
        }),
        json!({"items": [{}, {"a": 1, "b": "x", "double": 2}]})
    );
    let (root, all) = described::<Listing<Sparse>>();
    assert_eq!(all["Sparse"].get("required"), None, "{}", all["Sparse"]);
    assert_eq!(all["Sparse"]["properties"]["double"]["type"], "integer");
    assert_eq!(root, json!({"$ref": "#/components/schemas/ListingSparse"}));
}

/// What happened.
#[derive(Output)]
#[output(tag = "event")]
enum Event {
    Opened(Sparse),
    Renamed {
        from: String,
        #[output(skip_none)]
        to: Option<String>,
    },
    Closed,
}

#[test]
fn a_tag_selects_the_variant() {
    assert_eq!(
        written(&Event::Opened(Sparse {
            a: Some(1),
            b: None
        })),
        json!({"event": "opened", "a": 1, "double": 2})
    );
    assert_eq!(
        written(&Event::Renamed {
            from: "a".into(),
            to: None
        }),
        json!({"event": "renamed", "from": "a"})
    );
    assert_eq!(written(&Event::Closed), json!({"event": "closed"}));
    let (_, all) = described::<Event>();
    assert_eq!(
        all["Event"]["discriminator"]["mapping"]["closed"],
        "#/components/schemas/EventClosed"
    );
}

#[derive(Output)]
#[output(display, pattern = "^[0-9]+\\.[0-9]{2}$")]
struct Money(u64);

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

#[test]
fn a_type_is_written_as_it_is_displayed() {
    assert_eq!(
        written(&vec![Some(Money(1205)), None]),
        json!(["12.05", null])
    );
}
