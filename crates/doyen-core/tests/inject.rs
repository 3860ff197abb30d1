//! `#[derive(Inject)]`, `#[provider]` and `#[port]` in a real container.

#![allow(missing_docs, reason = "a test")]

extern crate doyen_core as doyen;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use doyen_core::inject::{Container, ContainerBuilder, Needs, Teardown};
use doyen_core::{Inject, Lifetime, Problem, Role, Scope, Unexpected, port, provider};
use futures_util::FutureExt as _;

/// Runs a future that is ready at once.
fn run<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("the future is ready at once")
}

/// The port of the domain.
#[port]
trait Stock {
    async fn left(&self, sku: &str) -> u32;
    fn name(&self) -> &'static str;
}

#[derive(Clone, Inject)]
struct Shelf {
    counter: Counter,
}

#[port]
impl Stock for Shelf {
    async fn left(&self, sku: &str) -> u32 {
        self.counter.0.fetch_add(1, Ordering::Relaxed) + u32::try_from(sku.len()).unwrap()
    }
    fn name(&self) -> &'static str {
        "shelf"
    }
}

#[derive(Clone)]
struct Counter(Arc<AtomicU32>);

#[provider(application)]
async fn counter(teardown: Teardown) -> Counter {
    let counter = Arc::new(AtomicU32::new(0));
    let kept = Arc::clone(&counter);
    teardown.push(async move { kept.store(99, Ordering::Relaxed) });
    Counter(counter)
}

/// An error of the key store.
#[derive(Debug, Problem)]
enum NoKey {
    /// No row has the key.
    #[problem(unavailable)]
    KeyLost,
    #[problem(unexpected)]
    Unexpected(Unexpected),
}

#[derive(Clone, Debug)]
struct Key;

#[provider]
async fn key(counter: Counter) -> Result<Key, NoKey> {
    if counter.0.load(Ordering::Relaxed) == 0 {
        Err(NoKey::KeyLost)
    } else {
        Ok(Key)
    }
}

#[derive(Clone, Inject)]
struct Orders(Arc<dyn Stock>, Counter);

#[derive(Clone, Debug, Inject)]
#[inject(call)]
struct Locked {
    _key: Key,
}

fn container() -> Container {
    let mut builder: ContainerBuilder = Container::builder();
    builder.bind::<dyn Stock, Shelf>();
    let mut needs = Needs::default();
    needs.add::<Orders>();
    needs.add::<Locked>();
    builder.build(&[("GET /orders".to_owned(), needs)]).unwrap()
}

#[test]
fn values_are_injected() {
    let container = container();
    let cx = container.context();
    let orders: Orders = run(cx.get()).unwrap();
    assert_eq!(run(orders.0.left("tea")), 3);
    assert_eq!(run(orders.0.left("tea")), 4);
    assert_eq!(orders.0.name(), "shelf");
    // One counter for the whole application.
    let again: Orders = run(container.context().get()).unwrap();
    assert_eq!(again.1.0.load(Ordering::Relaxed), 2);
    run(container.close());
    assert_eq!(again.1.0.load(Ordering::Relaxed), 99);
}

#[test]
fn a_provider_that_fails_refuses_with_its_problem() {
    let container = container();
    let cx = container.context();
    let refusal = run(cx.get::<Locked>()).unwrap_err();
    assert_eq!(refusal.info().code, "key_lost");
    let mut needs = Needs::default();
    needs.add::<Locked>();
    let codes: Vec<&str> = container
        .problems(&needs)
        .iter()
        .map(|row| row.code)
        .collect();
    assert_eq!(codes, ["key_lost", "internal", "unavailable"]);
    // A failure is not cached.
    run(cx.get::<Counter>())
        .unwrap()
        .0
        .store(1, Ordering::Relaxed);
    assert!(run(cx.get::<Locked>()).is_ok());
}

#[test]
fn lifetimes_are_as_written() {
    assert_eq!(Counter::LIFETIME, Lifetime::Application);
    assert_eq!(Orders::LIFETIME, Lifetime::Request);
    assert_eq!(Locked::LIFETIME, Lifetime::Call);
}

#[derive(Clone, Copy, Debug, PartialEq, Scope)]
enum Permission {
    /// Read your
    /// tickets.
    #[scope("tickets:read")]
    TicketsRead,
    /// Write.
    #[scope("tickets:write")]
    TicketsWrite,
}

#[derive(Clone, Copy, Role)]
enum Post {
    SuperAdmin,
    #[role("staff")]
    Agent,
}

#[test]
fn scopes_and_roles_have_their_names() {
    assert_eq!(Permission::TicketsRead.description(), "Read your tickets.");
    assert_eq!(
        Permission::all(),
        [Permission::TicketsRead, Permission::TicketsWrite]
    );
    assert_eq!(Permission::TicketsWrite.name(), "tickets:write");
    assert_eq!(
        (Post::SuperAdmin.name(), Post::Agent.name()),
        ("super_admin", "staff")
    );
}

/// A type with parameters, which depends on its parameters.
#[derive(Clone, Inject)]
struct Two<A: Inject, B: Inject>(A, B);

#[derive(Clone, Debug, PartialEq)]
struct Sum(u32);

// Patterns, `mut` and ports work in a provider; a `cfg` applies to its impl.
#[provider(call)]
async fn sum(Counter(first): Counter, mut second: Two<Counter, Arc<dyn Stock>>) -> Sum {
    let left = second.1.left("tea").await;
    second.0 = Counter(first);
    Sum(left + second.0.0.load(Ordering::Relaxed))
}

#[provider]
#[cfg(any())]
async fn never() -> Nowhere {
    Nowhere
}

#[port]
#[cfg(any())]
trait Never {}

#[test]
fn patterns_parameters_and_ports_can_be_injected() {
    let mut builder = Container::builder();
    builder.bind::<dyn Stock, Shelf>();
    let mut needs = Needs::default();
    needs.add::<Sum>();
    let container = builder.build(&[("a job".to_owned(), needs)]).unwrap();
    let cx = container.context();
    assert_eq!(run(cx.get::<Sum>()).unwrap(), Sum(4));
    assert_eq!(
        run(cx.get::<Sum>()).unwrap(),
        Sum(6),
        "created for each call"
    );
}

#[test]
fn the_future_of_a_handler_with_a_port_is_send() {
    fn sendable<T: Send>(value: T) -> T {
        value
    }
    let container = container();
    let cx = container.context();
    // As a handler does: all of it runs on another thread.
    let left = sendable(async move { cx.get::<Orders>().await.unwrap().0.left("tea").await });
    assert_eq!(run(left), 3);
}
