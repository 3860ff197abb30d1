//! `#[derive(Input)]` from outside: accepted values, refused values and schemas.

extern crate doyen_schema as doyen;

use std::collections::BTreeMap;
use std::str::FromStr;

use doyen_core::{At, Failures, Id, Patch, Place, Timestamp};
use doyen_schema::input::{Object, Value, json};
use doyen_schema::rule::Broken;
use doyen_schema::{Components, Input};
use serde_json::{Value as Json, json};

fn read<T: Input>(body: &Json) -> Result<T, Vec<(String, &'static str)>> {
    let text = body.to_string();
    let value = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
    read_value(value)
}

fn read_value<T: Input>(value: Value<'_>) -> Result<T, Vec<(String, &'static str)>> {
    let mut out = Failures::new();
    let read = T::parse(value, &At::root(Place::Body), &mut out);
    let found: Vec<_> = out
        .iter()
        .map(|failure| (failure.pointer.clone(), failure.code))
        .collect();
    assert_eq!(
        read.is_some(),
        found.is_empty(),
        "there is a value exactly if there is no error: {found:?}"
    );
    read.ok_or(found)
}

fn failures<T: Input>(body: &Json) -> Vec<(String, &'static str)> {
    read::<T>(body).err().unwrap_or_default()
}

fn at(list: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    list.iter()
        .map(|(pointer, code)| ((*pointer).to_owned(), *code))
        .collect()
}

/// The components with their final names.
fn components<T: Input>() -> BTreeMap<String, Json> {
    let mut all = Components::new();
    T::schema(&mut all);
    all.finish()
        .unwrap()
        .schemas
        .into_iter()
        .map(|(name, schema)| (name, schema.into_json()))
        .collect()
}

/// How soon.
#[derive(Clone, Copy, Debug, PartialEq, Input)]
enum Priority {
    Low,
    /// The usual.
    Normal,
    VeryHigh,
}

#[derive(Debug, PartialEq, Eq, Hash, Input)]
#[input(from_str, pattern = "^[A-Z]-[0-9]{1,4}$")]
struct Sku(char, u16);

impl FromStr for Sku {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (letter, number) = text.split_once('-').ok_or("no hyphen")?;
        Ok(Self(
            letter.chars().next().ok_or("no letter")?,
            number.parse().map_err(|_| "no number")?,
        ))
    }
}

#[derive(Debug, PartialEq, Input)]
struct Percent(#[validate(range(min = 0, max = 100))] f64);

struct Ticket;
impl doyen_core::id::Named for Ticket {
    const PREFIX: &'static str = "tkt";
}

/// One line of an order.
#[derive(Debug, PartialEq, Input)]
struct Line {
    sku: Sku,
    #[validate(range(min = 1, max = 100))]
    quantity: u32,
    discount: Option<Percent>,
}

/// What a buyer sends.
///
/// Everything of one purchase.
#[derive(Debug, PartialEq, Input)]
#[input(rename_all = "camelCase")]
#[validate(custom = not_late)]
struct Order {
    /// Who gets it.
    #[validate(email)]
    contact_mail: String,
    #[validate(items(min = 1, max = 3))]
    lines: Vec<Line>,
    #[validate(
        items(max = 3),
        unique_items,
        each(length(min = 1, max = 8), pattern = "^[a-z0-9-]+$")
    )]
    #[input(default)]
    tags: Vec<String>,
    #[input(default = Priority::Normal)]
    priority: Priority,
    /// Words for the packer.
    #[deprecated]
    #[validate(length(max = 10), custom = polite)]
    note: Option<String>,
    #[input(example = "2026-11-22T08:30:00Z")]
    from: Option<Timestamp>,
    until: Option<Timestamp>,
    ticket: Option<Id<Ticket>>,
    #[input(rename = "class")]
    r#type: Option<String>,
}

fn polite(note: &str) -> Result<(), Broken> {
    if note.contains("!") {
        Err(Broken::new("polite", "must be polite").param("limit", 0))
    } else {
        Ok(())
    }
}

fn not_late(order: &Order) -> Result<(), Broken> {
    match (order.from, order.until) {
        (Some(from), Some(until)) if until < from => {
            Err(Broken::new("order", "must not be before `from`").field("until"))
        }
        _ => Ok(()),
    }
}

#[test]
fn a_valid_value_is_parsed() {
    let order: Order = read(&json!({
        "contactMail": "ann@example.com",
        "lines": [{"sku": "A-7", "quantity": 2, "discount": 2.5}],
        "note": "thanks",
        "class": "x",
    }))
    .unwrap();
    assert_eq!(
        order.lines,
        [Line {
            sku: Sku('A', 7),
            quantity: 2,
            discount: Some(Percent(2.5))
        }]
    );
    assert_eq!(order.priority, Priority::Normal);
    assert!(order.tags.is_empty());
    assert_eq!(order.r#type.as_deref(), Some("x"));
}

#[test]
fn all_errors_are_reported_at_once_with_their_locations() {
    let found = failures::<Order>(&json!({
        "contactMail": "ann",
        "lines": [{"sku": "a7", "quantity": 0}, {"sku": 7, "quantity": "2", "discount": 101, "colour": "red"}],
        "tags": ["ok", "Not", "ok"],
        "priority": "high",
        "note": "hurry up!!!",
        "ticket": "usr_01jd9m3z6veqjsk4dy2hjcg8x4",
        "notes": 1,
    }));
    assert_eq!(
        found,
        at(&[
            ("/notes", "unknown_field"),
            ("/contactMail", "email"),
            ("/lines/0/sku", "pattern"),
            ("/lines/0/quantity", "range"),
            ("/lines/1/colour", "unknown_field"),
            ("/lines/1/sku", "type"),
            ("/lines/1/quantity", "type"),
            ("/lines/1/discount", "range"),
            ("/tags/2", "unique"),
            ("/tags/1", "pattern"),
            ("/priority", "one_of"),
            ("/note", "length"),
            ("/note", "polite"),
            ("/ticket", "format"),
        ])
    );
}

#[test]
fn missing_null_and_wrong_types_are_different_errors() {
    assert_eq!(
        failures::<Order>(&json!({"lines": null})),
        at(&[("/contactMail", "required"), ("/lines", "null")])
    );
    assert_eq!(failures::<Order>(&json!([])), at(&[("", "type")]));
    assert_eq!(
        failures::<Line>(&json!({})),
        at(&[("/sku", "required"), ("/quantity", "required")])
    );
}

#[test]
fn rules_over_several_fields_run_if_each_is_valid() {
    let mut body = json!({
        "contactMail": "a@b.co", "lines": [{"sku": "A-7", "quantity": 2}],
        "from": "2026-11-22T08:30:00Z", "until": "2026-11-21T08:30:00Z",
    });
    assert_eq!(failures::<Order>(&body), at(&[("/until", "order")]));
    body["priority"] = json!("high");
    assert_eq!(failures::<Order>(&body), at(&[("/priority", "one_of")]));
}

#[test]
fn an_error_has_a_message_and_parameters_and_never_the_value() {
    let text = r#"{"sku": "secret-sku", "quantity": 4711, "quantty": 1}"#;
    let value = json::parse(text.as_bytes(), &json::Limits::default()).unwrap();
    let mut out = Failures::new();
    assert!(Line::parse(value, &At::root(Place::Body), &mut out).is_none());
    let all: Vec<_> = out.iter().collect();
    assert_eq!(
        all[0].message,
        "is not a known field; did you mean `quantity`?"
    );
    assert_eq!(
        Json::from(all[2].params.clone()),
        json!({"min": 1, "max": 100})
    );
    assert_eq!(all[2].message, "must be at least 1 and at most 100");
    assert!(!format!("{out:?}").contains("secret-sku") && !format!("{out:?}").contains("4711"));
}

#[test]
fn the_schema_agrees() {
    let all = components::<Order>();
    assert_eq!(
        all.keys().collect::<Vec<_>>(),
        ["Line", "Order", "Percent", "Priority", "Sku"]
    );
    assert_eq!(
        all["Priority"],
        json!({"type": "string", "enum": ["low", "normal", "very_high"], "description": "How soon.\n\n- `normal`: The usual."})
    );
    assert_eq!(
        all["Sku"],
        json!({"type": "string", "pattern": "^[A-Z]-[0-9]{1,4}$"})
    );
    assert_eq!(
        all["Percent"],
        json!({"type": "number", "format": "double", "minimum": 0, "maximum": 100})
    );
    let order = &all["Order"];
    assert_eq!(
        order["description"],
        "What a buyer sends.\n\nEverything of one purchase."
    );
    assert_eq!(order["additionalProperties"], json!(false));
    assert_eq!(order["required"], json!(["contactMail", "lines"]));
    assert_eq!(order["properties"]["contactMail"]["format"], "email");
    assert_eq!(
        order["properties"]["contactMail"]["description"],
        "Who gets it."
    );
    assert_eq!(
        order["properties"]["lines"],
        json!({"type": "array", "items": {"$ref": "#/components/schemas/Line"}, "minItems": 1, "maxItems": 3})
    );
    assert_eq!(
        order["properties"]["tags"],
        json!({
            "type": "array", "maxItems": 3, "uniqueItems": true,
            "items": {"type": "string", "pattern": "^[a-z0-9-]+$", "minLength": 1, "maxLength": 8},
            "default": [],
        })
    );
    assert_eq!(
        order["properties"]["note"]["type"],
        json!(["string", "null"])
    );
    assert_eq!(order["properties"]["note"]["deprecated"], json!(true));
    assert_eq!(
        order["properties"]["from"]["examples"],
        json!(["2026-11-22T08:30:00Z"])
    );
    assert_eq!(
        order["properties"]["class"]["type"],
        json!(["string", "null"])
    );
}

#[derive(Debug, PartialEq, Input)]
#[input(allow_unknown)]
struct Filter {
    #[input(default = 20)]
    #[validate(range(max = Filter::MOST))]
    limit: u32,
    status: Option<Priority>,
    #[input(default)]
    tag: Vec<String>,
    #[input(default = "created_at")]
    sort: String,
}

impl Filter {
    const MOST: u32 = 100;
}

#[test]
fn text_is_parsed_by_type() {
    let query = |raw| read_value::<Filter>(doyen_schema::input::text::query(raw).unwrap());
    let filter = query("limit=5&tag=a&tag=b&status=very_high&other=1").unwrap();
    assert_eq!(
        filter,
        Filter {
            limit: 5,
            status: Some(Priority::VeryHigh),
            tag: vec!["a".into(), "b".into()],
            sort: "created_at".into()
        }
    );
    assert_eq!(query("tag=a").unwrap().tag, ["a"]);
    assert_eq!(query("limit=5&limit=6"), Err(at(&[("/limit", "repeated")])));
    assert_eq!(
        query("limit=x&status=x"),
        Err(at(&[("/limit", "type"), ("/status", "one_of")]))
    );
    // A form sends the inputs that were left empty.
    let empty = query("limit=&status=&tag=").unwrap();
    assert_eq!((empty.limit, empty.status), (20, None));
    assert_eq!(query("limit=101"), Err(at(&[("/limit", "range")])));

    let fields = Filter::fields(&mut Components::new());
    let shown: Vec<_> = fields
        .iter()
        .map(|field| (field.name, field.required))
        .collect();
    assert_eq!(
        shown,
        [
            ("limit", false),
            ("status", false),
            ("tag", false),
            ("sort", false)
        ]
    );
    assert_eq!(Filter::names(), ["limit", "status", "tag", "sort"]);
    assert_eq!(fields[0].schema.get("default"), Some(&json!(20)));
    assert_eq!(fields[0].schema.get("maximum"), Some(&json!(100)));
    const { assert!(Filter::OPEN) };
}

#[derive(Debug, Default, PartialEq, Input)]
struct Change {
    #[validate(length(min = 1))]
    subject: Patch<String>,
    assignee: Patch<Option<String>>,
    #[input(default)]
    #[validate(items(max = 2))]
    tags: Patch<Vec<String>>,
    #[input(default = 20)]
    #[validate(range(min = 1, max = 100))]
    limit: Patch<u8>,
    #[input(default = "en")]
    language: Patch<String>,
}

#[test]
fn a_patch_knows_three_states() {
    assert_eq!(read(&json!({})), Ok(Change::default()));
    assert_eq!(
        read(&json!({"assignee": null})),
        Ok(Change {
            assignee: Patch::Set(None),
            ..Change::default()
        })
    );
    assert_eq!(
        failures::<Change>(&json!({"subject": null})),
        at(&[("/subject", "null")])
    );
    assert_eq!(
        failures::<Change>(&json!({"subject": ""})),
        at(&[("/subject", "length")])
    );
    assert_eq!(components::<Change>()["Change"].get("required"), None);
}

#[test]
fn null_resets_a_patch_with_a_default() {
    assert_eq!(
        read(&json!({"tags": null, "limit": null, "language": null})),
        Ok(Change {
            tags: Patch::Set(Vec::new()),
            limit: Patch::Set(20),
            language: Patch::Set("en".to_owned()),
            ..Change::default()
        })
    );
    assert_eq!(
        read(&json!({"tags": ["a"], "limit": 3})),
        Ok(Change {
            tags: Patch::Set(vec!["a".to_owned()]),
            limit: Patch::Set(3),
            ..Change::default()
        })
    );
    assert_eq!(
        failures::<Change>(&json!({"tags": ["a", "b", "c"], "limit": 0})),
        at(&[("/tags", "items"), ("/limit", "range")])
    );
    // An omitted field keeps its value, so the document states no default.
    let properties = components::<Change>()["Change"]["properties"].clone();
    for (field, kind) in [
        ("tags", "array"),
        ("limit", "integer"),
        ("language", "string"),
    ] {
        assert_eq!(properties[field]["type"], json!([kind, "null"]), "{field}");
        assert_eq!(properties[field].get("default"), None, "{field}");
    }
}

/// Where a message goes.
#[derive(Debug, PartialEq, Input)]
#[input(tag = "kind")]
enum Channel {
    /// By mail.
    Mail(Mail),
    TextMessage {
        #[validate(pattern = r"^\+\d+$")]
        number: String,
    },
    Nowhere,
}

#[derive(Debug, PartialEq, Input)]
struct Mail {
    #[validate(email)]
    to: String,
}

#[test]
fn a_tag_selects_the_variant() {
    assert_eq!(
        read(&json!({"kind": "mail", "to": "a@b.co"})),
        Ok(Channel::Mail(Mail {
            to: "a@b.co".into()
        }))
    );
    assert_eq!(
        read(&json!({"number": "+49", "kind": "text_message"})),
        Ok(Channel::TextMessage {
            number: "+49".into()
        })
    );
    assert_eq!(read(&json!({"kind": "nowhere"})), Ok(Channel::Nowhere));
    assert_eq!(
        failures::<Channel>(&json!({"to": "a@b.co"})),
        at(&[("/kind", "required")])
    );
    assert_eq!(
        failures::<Channel>(&json!({"kind": "fax"})),
        at(&[("/kind", "one_of")])
    );
    assert_eq!(
        failures::<Channel>(&json!({"kind": "mail", "to": "a"})),
        at(&[("/to", "email")])
    );
    assert_eq!(
        failures::<Channel>(&json!({"kind": "nowhere", "to": "a"})),
        at(&[("/to", "unknown_field")])
    );
    assert_eq!(
        failures::<Channel>(&json!({"kind": "text_message", "number": "+٣"})),
        at(&[("/number", "pattern")])
    );

    let all = components::<Channel>();
    assert_eq!(
        all.keys().collect::<Vec<_>>(),
        [
            "Channel",
            "ChannelMail",
            "ChannelNowhere",
            "ChannelTextMessage"
        ]
    );
    assert_eq!(
        all["Channel"]["oneOf"][0]["$ref"],
        "#/components/schemas/ChannelMail"
    );
    assert_eq!(
        all["Channel"]["discriminator"],
        json!({"propertyName": "kind", "mapping": {
            "mail": "#/components/schemas/ChannelMail",
            "text_message": "#/components/schemas/ChannelTextMessage",
            "nowhere": "#/components/schemas/ChannelNowhere",
        }})
    );
    assert_eq!(all["ChannelMail"]["required"], json!(["kind", "to"]));
    assert_eq!(all["ChannelMail"]["description"], "By mail.");
}

/// A tree names itself.
#[derive(Debug, PartialEq, Input)]
struct Node {
    name: String,
    #[input(default)]
    children: Vec<Node>,
}

#[derive(Debug, PartialEq, Input)]
struct Pair<A, B> {
    first: A,
    second: B,
}

#[test]
fn recursive_and_generic_types() {
    let node: Node = read(&json!({"name": "a", "children": [{"name": "b"}]})).unwrap();
    assert_eq!(node.children[0].name, "b");
    assert_eq!(
        failures::<Node>(&json!({"name": "a", "children": [{"name": "b"}, {"children": []}]})),
        at(&[("/children/1/name", "required")])
    );
    assert_eq!(
        components::<Node>()["Node"]["properties"]["children"]["items"]["$ref"],
        "#/components/schemas/Node"
    );
    const { assert!(!Node::ASYNC) };

    assert_eq!(
        read(&json!({"first": 1, "second": {"name": "a"}})).map(|pair: Pair<u8, Node>| pair.first),
        Ok(1)
    );
    assert_eq!(
        components::<Pair<u8, Node>>().keys().collect::<Vec<_>>(),
        ["Node", "PairInt32Node"]
    );
}

mod money {
    //! A type of another crate, parsed by a module.
    use doyen_core::{At, Failures};
    use doyen_schema::input::Value;
    use doyen_schema::{Components, Schema};

    #[derive(Debug, PartialEq)]
    pub(crate) struct Money(pub(crate) u64);

    pub(crate) fn parse(value: Value<'_>, at: &At<'_>, out: &mut Failures) -> Option<Money> {
        <u64 as doyen_schema::Input>::parse(value, at, out).map(Money)
    }

    pub(crate) fn schema(_: &mut Components) -> Schema {
        Schema::of("integer")
    }
}

#[derive(Debug, PartialEq, Input)]
struct Price {
    #[input(with = money)]
    amount: money::Money,
}

#[test]
fn a_module_reads_a_foreign_type() {
    assert_eq!(
        read(&json!({"amount": 5})),
        Ok(Price {
            amount: money::Money(5)
        })
    );
    assert_eq!(
        failures::<Price>(&json!({})),
        at(&[("/amount", "required")])
    );
    assert_eq!(
        components::<Price>()["Price"]["required"],
        json!(["amount"])
    );
}

#[derive(Debug, PartialEq, Input)]
#[input(parse_with = Colour::parse, code = "colour")]
struct Colour(u32);

impl Colour {
    fn parse(text: &str) -> Result<Self, String> {
        u32::from_str_radix(text, 16)
            .map(Self)
            .map_err(|_| "must be a colour".to_owned())
    }
}

#[test]
fn a_function_reads_text() {
    assert_eq!(read(&json!("ff")), Ok(Colour(255)));
    assert_eq!(failures::<Colour>(&json!("gg")), at(&[("", "colour")]));
    assert_eq!(
        failures::<Vec<Colour>>(&json!(["ff", 1])),
        at(&[("/1", "type")])
    );
}
