//! The conversions that `#[derive(Output)]` and `#[derive(Input)]` generate between layers.

extern crate doyen_schema as doyen;

use doyen_core::{At, Event, Failures, Patch, Place};
use doyen_schema::input::json;
use doyen_schema::{Input, Output};
use serde_json::{Value as Json, json};

/// A domain type that is not an output.
#[derive(Clone, Debug, PartialEq)]
struct Sku(String);

/// Its JSON form.
#[derive(Debug, PartialEq, Output)]
struct SkuView(String);

impl From<Sku> for SkuView {
    fn from(sku: Sku) -> Self {
        Self(sku.0)
    }
}

struct Line {
    sku: Sku,
    quantity: u16,
}

#[derive(Output)]
#[output(from = Line)]
struct LineView {
    sku: SkuView,
    // Not the same type: `u32: From<u16>`.
    quantity: u32,
}

struct Order {
    number: u32,
    lines: Vec<Line>,
    gift: Option<Line>,
    history: Vec<Option<Sku>>,
    r#type: &'static str,
    cancelled_at: Option<u64>,
}

impl Order {
    fn pieces(&self) -> u32 {
        self.lines.iter().map(|line| u32::from(line.quantity)).sum()
    }
}

#[derive(Output)]
#[output(from = Order, location = path)]
struct OrderView {
    number: u64,
    lines: Vec<LineView>,
    gift: Option<LineView>,
    history: Vec<Option<SkuView>>,
    r#type: String,
    #[output(value = order.cancelled_at.is_some())]
    cancelled: bool,
    #[output(value = order.pieces())]
    pieces: u32,
    #[output(skip, value = format!("/orders/{}", order.number))]
    path: String,
}

fn order() -> Order {
    let line = |sku: &str, quantity| Line {
        sku: Sku(sku.to_owned()),
        quantity,
    };
    Order {
        number: 7,
        lines: vec![line("tea", 2), line("cup", 3)],
        gift: Some(line("spoon", 1)),
        history: vec![None, Some(Sku("pot".to_owned()))],
        r#type: "online",
        cancelled_at: None,
    }
}

#[test]
fn an_output_is_created_from_the_fields_of_the_same_name() {
    let view = OrderView::from(order());
    assert_eq!(view.location().as_deref(), Some("/orders/7"));
    assert_eq!(
        serde_json::to_value(&view).unwrap(),
        json!({
            "number": 7,
            "lines": [{"sku": "tea", "quantity": 2}, {"sku": "cup", "quantity": 3}],
            "gift": {"sku": "spoon", "quantity": 1},
            "history": [null, "pot"],
            "type": "online",
            "cancelled": false,
            "pieces": 5,
        })
    );
}

struct Viewer {
    is_staff: bool,
}

#[derive(Output)]
#[output(from = (Order, &Viewer, String))]
struct StaffView {
    number: u32,
    #[output(value = viewer.is_staff.then(|| order.pieces()))]
    pieces: Option<u32>,
    #[output(value = string)]
    link: String,
}

#[test]
fn further_values_are_available_to_expressions() {
    for (is_staff, pieces) in [(true, json!(5)), (false, Json::Null)] {
        let viewer = Viewer { is_staff };
        let view = StaffView::from((order(), &viewer, "/7".to_owned()));
        assert_eq!(
            serde_json::to_value(&view).unwrap(),
            json!({"number": 7, "pieces": pieces, "link": "/7"})
        );
    }
}

#[derive(Output)]
#[output(from = std::cmp::Ordering)]
enum OrderingView {
    Less,
    Equal,
    Greater,
}

mod payment {
    use super::{Line, Sku};

    pub(crate) enum Payment<T> {
        Open,
        Paid {
            amount: T,
            with: Option<Sku>,
            #[expect(dead_code, reason = "the output leaves it out")]
            by: T,
        },
        Refunded(Line),
    }
}

#[derive(Output)]
#[output(from = payment::Payment<u16>, tag = "state")]
enum PaymentView {
    Open,
    Paid { amount: u32, with: Option<SkuView> },
    Refunded(LineView),
}

#[test]
fn an_enum_is_created_from_the_variants_of_the_same_name() {
    let written = |ordering| serde_json::to_value(OrderingView::from(ordering)).unwrap();
    assert_eq!(written(1.cmp(&2)), "less");
    assert_eq!(written(2.cmp(&2)), "equal");
    assert_eq!(written(3.cmp(&2)), "greater");

    let written = |payment| serde_json::to_value(PaymentView::from(payment)).unwrap();
    assert_eq!(written(payment::Payment::Open), json!({"state": "open"}));
    let paid = payment::Payment::Paid {
        amount: 3,
        with: Some(Sku("card".into())),
        by: 1,
    };
    assert_eq!(
        written(paid),
        json!({"state": "paid", "amount": 3, "with": "card"})
    );
    let line = Line {
        sku: Sku("tea".into()),
        quantity: 2,
    };
    assert_eq!(
        written(payment::Payment::Refunded(line)),
        json!({"state": "refunded", "sku": "tea", "quantity": 2})
    );
}

#[derive(Output)]
#[output(from = Versioned<T>)]
struct VersionedView<T> {
    value: T,
    version: i64,
}

struct Versioned<T> {
    value: T,
    version: i64,
}

#[test]
fn generic_types_are_converted() {
    let view = VersionedView::from(Versioned {
        value: 1_u8,
        version: 2,
    });
    assert_eq!(
        serde_json::to_value(&view).unwrap(),
        json!({"value": 1, "version": 2})
    );
}

/// Parses a valid input.
fn parsed<T: Input>(body: &Json) -> T {
    let body = body.to_string();
    let value = json::parse(body.as_bytes(), &json::Limits::default()).unwrap();
    let mut failures = Failures::new();
    let parsed = T::parse(value, &At::root(Place::Body), &mut failures);
    parsed.unwrap_or_else(|| panic!("{failures:?}"))
}

impl From<String> for Sku {
    fn from(text: String) -> Self {
        Self(text)
    }
}

#[derive(Debug, PartialEq)]
enum State {
    New,
}

#[derive(Debug, PartialEq)]
struct Draft {
    sku: Sku,
    spare: Option<Sku>,
    quantity: u64,
    state: State,
    label: String,
}

#[derive(Input)]
#[input(
    into = Draft,
    set(state = State::New, label = format!("{} x {}", new_order.quantity, new_order.sku))
)]
struct NewOrder {
    sku: String,
    spare: Option<String>,
    quantity: u32,
    #[input(skip_into)]
    terms_accepted: bool,
}

#[test]
fn an_input_is_converted_into_a_domain_type() {
    let new: NewOrder = parsed(&json!({
        "sku": "tea", "spare": "cup", "quantity": 2, "terms_accepted": true
    }));
    assert!(new.terms_accepted);
    assert_eq!(
        Draft::from(new),
        Draft {
            sku: Sku("tea".into()),
            spare: Some(Sku("cup".into())),
            quantity: 2,
            state: State::New,
            label: "2 x tea".into(),
        }
    );
}

struct Edit {
    sku: Patch<Sku>,
    spare: Patch<Option<Sku>>,
    tags: Patch<Vec<Sku>>,
}

#[derive(Input)]
#[input(into = Edit)]
struct Changes {
    sku: Patch<String>,
    spare: Patch<Option<String>>,
    tags: Patch<Vec<String>>,
}

#[test]
fn a_patch_converts_its_value() {
    let changes: Changes = parsed(&json!({"spare": null, "tags": ["a", "b"]}));
    let edit = Edit::from(changes);
    assert!(edit.sku.as_option().is_none());
    assert_eq!(edit.spare.as_option(), Some(&None));
    let tags = vec![Sku("a".into()), Sku("b".into())];
    assert_eq!(edit.tags.as_option(), Some(&tags));
}

#[derive(Debug, PartialEq)]
enum Command {
    Stop,
    Move { by: i64 },
}

#[derive(Input)]
#[input(into = Command, tag = "kind")]
enum CommandInput {
    Stop,
    Move { by: i32 },
}

#[test]
fn an_input_enum_is_converted_into_a_domain_enum() {
    let command: CommandInput = parsed(&json!({"kind": "stop"}));
    assert_eq!(Command::from(command), Command::Stop);
    let command: CommandInput = parsed(&json!({"kind": "move", "by": -3}));
    assert_eq!(Command::from(command), Command::Move { by: -3 });
}

#[derive(Event)]
#[event(topic = "orders")]
enum OrderEvent {
    Placed {
        number: u32,
        r#type: String,
    },
    #[event(topic = "payments.received")]
    Paid(Payment),
    StockRanOut,
}

#[derive(Event)]
#[event(topic = "payments.made")]
struct Payment {
    amount: u32,
}

#[test]
fn an_event_has_a_topic_and_its_fields_as_payload() {
    let written = |event: &OrderEvent| (event.topic(), serde_json::to_value(event).unwrap());
    let placed = OrderEvent::Placed {
        number: 7,
        r#type: "online".into(),
    };
    assert_eq!(
        written(&placed),
        ("orders.placed", json!({"number": 7, "type": "online"}))
    );
    let payment = Payment { amount: 3 };
    assert_eq!(payment.topic(), "payments.made");
    assert_eq!(
        written(&OrderEvent::Paid(payment)),
        ("payments.received", json!({"amount": 3}))
    );
    assert_eq!(
        written(&OrderEvent::StockRanOut),
        ("orders.stock_ran_out", json!({}))
    );
}
