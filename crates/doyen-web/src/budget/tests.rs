use super::*;

use bytes::Bytes;

fn client(last: u8) -> Option<IpAddr> {
    Some([192, 0, 2, last].into())
}

#[test]
fn a_dropped_charge_is_released() {
    let budget = Budget::new(1_000);
    let account = budget.open(client(1));
    let mut charge = account.charge(100);
    charge.add(50);
    assert_eq!((budget.used(), account.used()), (150, 150));
    drop(charge);
    assert_eq!((budget.used(), account.used()), (0, 0));
    drop(account);
    assert!(lock(&budget.accounts).is_empty());
}

#[test]
fn the_client_that_holds_the_most_loses_its_largest_connections() {
    let budget = Budget::new(1_000);
    let [small, large, other] = [client(1), client(1), client(2)].map(|at| budget.open(at));
    let _held = (small.charge(100), other.charge(250), other.charge(100));
    let _more = (large.charge(250), large.charge(250));
    assert!(!large.is_closing());
    let _last_straw = other.charge(100);
    assert!(
        large.is_closing(),
        "600 of client 1 against 450 of client 2"
    );
    assert!(!small.is_closing() && !other.is_closing());
    assert_eq!(budget.disconnected(), 1);
}

#[test]
fn connections_of_a_proxy_are_separate_clients() {
    let budget = Budget::new(1_000);
    let [first, second] = [None, None].map(|at| budget.open(at));
    let direct = budget.open(client(1));
    let _held = (first.charge(250), second.charge(250), direct.charge(250));
    let _more = (direct.charge(200), second.charge(100));
    assert!(direct.is_closing() && !first.is_closing() && !second.is_closing());
}

#[test]
fn the_largest_client_is_refused_and_smaller_ones_are_admitted() {
    let budget = Budget::new(1_000);
    let [large, small] = [client(1), client(2)].map(|at| budget.open(at));
    let mut mine = large.charge(250);
    assert!(mine.try_add(250) && mine.try_add(250));
    let mut theirs = small.charge(200);
    assert!(!mine.try_add(100), "it holds the most");
    assert_eq!((budget.used(), large.is_closing()), (950, false));
    assert!(theirs.try_add(100));
    assert!(large.is_closing() && !small.is_closing());
}

/// What a closing connection holds is not counted twice.
#[test]
fn no_other_connection_is_closed_while_one_is_closing() {
    let budget = Budget::new(1_000);
    let accounts = [1, 2, 3].map(|at| budget.open(client(at)));
    let _held: Vec<Charge> = [(0, 250), (0, 250), (1, 250), (2, 200)]
        .map(|(at, bytes)| accounts[at].charge(bytes))
        .into();
    let _more = [accounts[2].charge(100), accounts[2].charge(100)];
    // A response that was in progress when its connection started to close.
    let _late = accounts[0].charge(250);
    let closing = accounts.each_ref().map(|account| account.is_closing());
    assert_eq!(closing, [true, false, false]);
}

/// Only those of the client that holds the most, though another has the largest connection.
#[test]
fn connections_of_other_clients_stay_open() {
    let budget = Budget::new(1_000);
    let most = [1, 1, 1].map(|at| budget.open(client(at)));
    let other = budget.open(client(2));
    let _held = (other.charge(200), other.charge(200));
    let _theirs = most.each_ref().map(|account| account.charge(201));
    assert!(!other.is_closing());
    assert!(most.iter().any(|account| account.is_closing()));
}

#[test]
fn the_limit_itself_may_be_used() {
    let budget = Budget::new(1_000);
    let accounts = [1, 2, 3, 4].map(|at| budget.open(client(at)));
    let _held = accounts.each_ref().map(|account| account.charge(250));
    assert!(accounts.iter().all(|account| !account.is_closing()));
    let _one_more = accounts[0].charge(1);
    assert!(accounts[0].is_closing());
}

/// A closing connection releases exactly what it holds.
#[test]
fn a_closed_connection_is_no_longer_counted() {
    let budget = Budget::new(1_000);
    let [large, small] = [client(1), client(2)].map(|at| budget.open(at));
    let held = [250; 4].map(|bytes| large.charge(bytes));
    let straw = small.charge(1);
    assert!(large.is_closing() && !small.is_closing());
    assert!(held[0].is_closing() && !straw.is_closing());
    drop((held, large));
    assert_eq!(budget.used(), 1);
    let more = [250, 250, 250, 249].map(|bytes| small.charge(bytes));
    assert!(!small.is_closing());
    drop(more);
    let _again = [250, 250, 250, 249].map(|bytes| small.charge(bytes));
    assert!(!small.is_closing());
}

#[test]
fn reading_pauses_a_quarter_above_the_limit() {
    let budget = Budget::new(1_000);
    let account = budget.open(client(1));
    // A closing connection counts until it is closed.
    let held = [250; 5].map(|bytes| account.charge(bytes));
    assert!(account.is_closing() && !account.must_pause());
    let one_more = account.charge(1);
    assert!(account.must_pause());
    drop(one_more);
    assert!(!account.must_pause());
    drop(held);
}

#[tokio::test]
async fn a_connection_learns_that_it_is_to_be_closed() {
    use futures_util::FutureExt as _;
    let budget = Budget::new(1_000);
    let account = budget.open(client(1));
    assert!(account.is_direct() && !budget.open(None).is_direct());
    assert!(account.closed().now_or_never().is_none());
    let _held = [250; 5].map(|bytes| account.charge(bytes));
    account.closed().await;
}

#[test]
fn a_charge_is_set_up_and_down() {
    let budget = Budget::new(1_000);
    let account = budget.open(client(1));
    let mut charge = account.charge(10);
    for bytes in [200, 200, 30, 0, 7] {
        charge.set(bytes);
        assert_eq!((charge.bytes(), budget.used()), (bytes, bytes));
    }
    let bytes = charge.attach(Bytes::from_static(b"seven77"));
    let part = bytes.slice(1..2);
    drop(bytes);
    assert_eq!(budget.used(), 7);
    drop(part);
    assert_eq!(budget.used(), 0);
}

#[test]
fn connections_that_hold_nothing_stay_open() {
    let budget = Budget::new(1_000);
    let [idle, busy, other] = [client(1), client(1), client(2)].map(|at| budget.open(at));
    let _held = (busy.charge(250), busy.charge(250), busy.charge(250));
    let _last_straw = (other.charge(250), other.charge(250));
    assert!(busy.is_closing() && !idle.is_closing());

    // Even if the busy ones do not suffice to free a quarter.
    let budget = Budget::new(1_000);
    let [idle, busy] = [client(1), client(1)].map(|at| budget.open(at));
    let others: Vec<_> = (2..11).map(|at| budget.open(client(at))).collect();
    let _others: Vec<_> = others.iter().map(|other| other.charge(98)).collect();
    let _most = busy.charge(150);
    assert!(busy.is_closing() && !idle.is_closing());
    assert!(others.iter().all(|other| !other.is_closing()));
}

#[test]
fn a_body_larger_than_the_limit_can_be_sent() {
    let budget = Budget::new(1_000);
    let account = budget.open(client(1));
    let _charge = account.charge(1 << 30);
    assert_eq!(account.used(), 250);
    assert!(!account.is_closing());
}

#[test]
fn a_connection_is_full_at_a_quarter() {
    let budget = Budget::new(1_000);
    let account = budget.open(client(1));
    let _upload = account.charge(250);
    let first = account.charge(250).into_response();
    assert!(!account.is_full(), "uploads do not count");
    let second = first.sibling(1);
    assert!(account.is_full());
    drop(second);
    assert!(!account.is_full());
}
