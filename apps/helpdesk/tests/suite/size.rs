//! Lists and searches of many tickets, alone and next to forty searches. `cargo xtask soak` runs it
//! with 500,000 tickets and prints a table of the times.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use doyen::data::sea_orm::{self, ConnectionTrait as _};
use doyen_test::scale;

use crate::support::people::texts;
use crate::support::{Helpdesk, Join as _, Person};

/// Rows per statement.
const BATCH: usize = 10_000;
/// Customers besides the one who asks.
const MAX_CUSTOMERS: usize = 2_000;
/// Tickets per customer, at least: more than a page.
const TICKETS_PER_CUSTOMER: usize = 40;

/// Every filter and order alone, and common combinations.
const AGENT: &[&str] = &[
    "",
    "sort=created_at",
    "sort=-updated_at",
    "sort=-priority",
    "status=open",
    "status=pending&sort=-updated_at",
    "status=open&sort=-priority",
    "priority=urgent",
    "priority=urgent&sort=-updated_at",
    "assignee=none",
    "assignee=ME",
    "assignee=ME&sort=-updated_at",
    "assignee=ME&status=open&sort=-priority",
    "reporter=ANN",
    "reporter=ANN&sort=-updated_at",
    "reporter=ANN&sort=-priority",
    "tag=common",
    "tag=common&sort=-updated_at",
    "tag=common&sort=-priority",
    "tag=team-3&status=open",
    "tag=rare",
    "tag=none",
    "page=1",
    "page=500&per_page=20",
    "tag=common&page=2",
    "status=closed&page=10",
];

const CUSTOMER: &[&str] = &[
    "",
    "sort=-updated_at",
    "sort=-priority",
    "status=open",
    "status=pending&sort=-updated_at",
    "priority=urgent",
    "tag=common",
    "tag=rare",
    "page=2",
];

/// Common, rare and absent texts, and beginnings of words.
const TEXTS: &[&str] = &[
    "q=printer",
    "q=zebra",
    "q=nowhere",
    "q=pr",
    "q=zz",
    "q=printer&status=open&sort=-updated_at",
    "q=zebra&page=1",
    "q=printer&page=1",
];

/// How long requests took.
#[derive(Default)]
struct Times(Vec<Duration>);

impl Times {
    fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted
            .get(at)
            .map_or(0.0, |time| time.as_secs_f64() * 1_000.0)
    }
}

#[doyen_test::test]
async fn lists_stay_fast_next_to_searches(app: Helpdesk) {
    let tickets = scale(2_200, 500_000);
    let calls = scale(1, 50);
    let (agent, ann) = (app.as_agent().await, app.as_customer().await);
    fill(&app, &ann, tickets).await;
    let person = |query: &str| query.replace("ME", &agent.id).replace("ANN", &ann.id);
    let lists: Vec<(&str, &Person, String)> = AGENT
        .iter()
        .map(|query| ("agent", &agent, person(query)))
        .chain(
            CUSTOMER
                .iter()
                .map(|query| ("customer", &ann, person(query))),
        )
        .collect();

    let mut alone = Vec::new();
    for (_, who, query) in &lists {
        alone.push(ask(who, query, calls).await);
    }
    let searches = Searches::start(&agent, &ann, scale(8, 40));
    let mut crowded = Vec::new();
    for (_, who, query) in &lists {
        crowded.push(ask(who, query, calls).await);
    }
    let (found, refused) = searches.stop().await;
    assert!(found > 0, "no search succeeded, and {refused} were refused");

    report(&format!(
        "{tickets} tickets on {:?}, milliseconds",
        app.backend()
    ));
    let mut slow = Vec::new();
    report("     p50      p99 p99 next    ratio  list");
    for ((role, _, query), (alone, crowded)) in lists.iter().zip(alone.iter().zip(&crowded)) {
        let (p50, p99, next) = (
            alone.percentile(50),
            alone.percentile(99),
            crowded.percentile(99),
        );
        let ratio = next / p99;
        report(&format!(
            "{p50:8.1} {p99:8.1} {next:8.1} {ratio:8.1}  {role} {query}"
        ));
        if p99 > 20.0 || next > 100.0 {
            slow.push(format!("{role} {query}"));
        }
    }
    for (role, who) in [("agent", &agent), ("customer", &ann)] {
        for query in TEXTS {
            let times = ask(who, query, calls).await;
            let (p50, p99) = (times.percentile(50), times.percentile(99));
            report(&format!(
                "{p50:8.1} {p99:8.1}                    {role} {query}"
            ));
        }
    }
    report(&format!("{found} searches, {refused} refused"));
    // Times mean something only for an optimized program.
    let enforced = tickets >= 500_000 && !cfg!(debug_assertions);
    assert!(!enforced || slow.is_empty(), "too slow: {slow:?}");
}

/// Whether the matches are looked up or checked one by one, a list has all of them, once and in
/// order.
#[doyen_test::test]
async fn many_matches_are_found_like_few(app: Helpdesk) {
    let (agent, ann) = (app.as_agent().await, app.as_customer().await);
    fill(&app, &ann, 2_200).await;
    let tagged = |tag| format!("id IN (SELECT ticket_id FROM ticket_tags WHERE tag = '{tag}')");
    for (query, matches) in [
        ("tag=common", tagged("common")),
        ("tag=rare", tagged("rare")),
        ("q=PROBLEM", "search LIKE '%problem%'".to_owned()),
        ("q=zebra", "search LIKE '%zebra%'".to_owned()),
        ("q=pr", "words LIKE '% pr%'".to_owned()),
        ("q=vp", "words LIKE '% vp%'".to_owned()),
        (
            "tag=common&q=problem&status=closed",
            format!("status = 'closed' AND {}", tagged("common")),
        ),
        (
            "tag=rare&q=pr&priority=normal",
            format!("priority = 1 AND {}", tagged("rare")),
        ),
        (
            "tag=common&q=vp",
            format!("words LIKE '% vp%' AND {}", tagged("common")),
        ),
        ("tag=rare&q=-", "1 = 0".to_owned()),
    ] {
        let expected = usize::try_from(app.count(&format!("ticket_cards WHERE {matches}")).await);
        assert_eq!(
            expected == Ok(0),
            matches == "1 = 0",
            "{query}: the data has matches"
        );
        let list = format!("/v1/tickets?{query}&limit=100&fields=id");
        let mut found = Vec::new();
        let mut next = Some(format!("{list}&sort=created_at"));
        while let Some(page) = next {
            let page = agent.get(page).send().await.expect(200);
            found.extend(texts(&page, "id"));
            next = page.json()["_links"]["next"]["href"]
                .as_str()
                .map(str::to_owned);
        }
        // Ids have the order of creation.
        assert!(found.is_sorted_by(|one, next| one < next), "{query}");
        assert_eq!(Ok(found.len()), expected, "{query}");
        // By number too, and with the other plan for the order.
        let page = async |of: &str| agent.get(format!("{list}&{of}")).send().await.expect(200);
        let numbered = page("sort=created_at&page=2").await;
        assert_eq!(numbered.at("/page/total"), found.len(), "{query}");
        let second: Vec<String> = found.iter().skip(100).take(100).cloned().collect();
        assert_eq!(texts(&numbered, "id"), second, "{query}");
        assert_eq!(
            texts(&page("sort=-priority").await, "id"),
            texts(&page("sort=-priority&page=1").await, "id"),
            "{query}"
        );
    }
}

/// What was measured: `cargo xtask soak` shows it.
#[expect(clippy::print_stdout, reason = "shown by the test runner")]
fn report(text: &str) {
    println!("{text}");
}

/// Sends a list request several times. Each must succeed.
async fn ask(who: &Person, query: &str, calls: usize) -> Times {
    let mut times = Times::default();
    for _ in 0..calls {
        let started = Instant::now();
        let page = who.get(format!("/v1/tickets?{query}")).send().await;
        times.0.push(started.elapsed());
        page.expect(200);
    }
    times
}

/// Clients that search without a pause.
struct Searches {
    stop: Arc<AtomicBool>,
    found: Arc<AtomicUsize>,
    refused: Arc<AtomicUsize>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Searches {
    fn start(agent: &Person, customer: &Person, clients: usize) -> Self {
        let mut searches = Self {
            stop: Arc::default(),
            found: Arc::default(),
            refused: Arc::default(),
            tasks: Vec::new(),
        };
        for number in 0..clients {
            let who = if number % 4 == 0 { customer } else { agent }.clone();
            let (stop, found, refused) = (
                Arc::clone(&searches.stop),
                Arc::clone(&searches.found),
                Arc::clone(&searches.refused),
            );
            searches.tasks.push(tokio::spawn(async move {
                let mut texts = TEXTS.iter().cycle().skip(number);
                while !stop.load(Ordering::Relaxed) {
                    let query = texts.next().copied().unwrap_or_default();
                    let page = who.get(format!("/v1/tickets?{query}")).send().await;
                    if page.status() == 200 {
                        found.fetch_add(1, Ordering::Relaxed);
                    } else {
                        let full = page.expect_problem(503, "overloaded");
                        assert_eq!(full.header("retry-after"), Some("1"));
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }));
        }
        searches
    }

    /// Returns the numbers of searches that succeeded and that were refused.
    async fn stop(self) -> (usize, usize) {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.unwrap_or_else(|error| panic!("{error}"));
        }
        (
            self.found.load(Ordering::Relaxed),
            self.refused.load(Ordering::Relaxed),
        )
    }
}

/// Inserts customers and tickets: 2 % of the tickets belong to one customer.
pub(crate) async fn fill(app: &Helpdesk, ann: &Person, tickets: usize) {
    let sql = Dialect::of(app);
    let customers = MAX_CUSTOMERS.min(tickets / TICKETS_PER_CUSTOMER);
    let users = format!(
        "INSERT INTO users (id, email, name, role, password_hash, created_at, updated_at, version) \
         SELECT {id}, 'customer' || n || '@example.org', 'Customer ' || n, 'customer', 'none', {time}, {time}, 1 FROM numbers",
        id = sql.id("0", "n"),
        time = sql.time("n"),
    );
    let numbers = sql.numbers;
    app.execute(&format!("{numbers} {users}"), range(0, customers))
        .await;
    for from in (0..tickets).step_by(BATCH) {
        let to = (from + BATCH).min(tickets);
        let insert = format!(
            "INSERT INTO tickets (id, subject, body, search, status, priority, reporter_id, assignee_id, \
                 comment_count, note_count, created_at, updated_at, version) \
             SELECT {id}, subject, body, lower(subject || {newline} || body), \
                 CASE WHEN {dice} < 8 THEN 'open' WHEN {dice} < 14 THEN 'pending' WHEN {dice} < 45 THEN 'solved' ELSE 'closed' END, \
                 CASE n * 5077 % 9973 % 7 WHEN 0 THEN 0 WHEN 1 THEN 2 WHEN 2 THEN 2 WHEN 3 THEN 3 ELSE 1 END, \
                 CASE WHEN n * 6151 % 9967 % 50 = 0 THEN ann.id ELSE {customer} END, \
                 CASE WHEN n * 3571 % 10037 % 10 = 0 THEN NULL WHEN n * 8191 % 10009 % 20 = 1 THEN agent.id ELSE {other} END, \
                 0, 0, {created}, {updated}, 1 \
             FROM (SELECT n, word || ' problem in room ' || (n % 997) AS subject, \
                   'It began on day ' || (n % 90) || '. Since then no one in the office can work as usual, and restarting did not help. ' \
                   || 'We tried the steps on the page about the ' || word || ' twice. Please call extension ' || (n % 9973) \
                   || CASE WHEN n % {rare} = 7 THEN ' zebra' ELSE '' END AS body \
                   FROM numbers JOIN words ON i = n * 13 % 10) AS texts, \
                 (SELECT id FROM users WHERE email = $3) AS ann, (SELECT id FROM users WHERE role = 'agent') AS agent",
            id = sql.id(&sql.millis("n", tickets), "n"),
            // Independent of the other columns, as far as a remainder can be.
            dice = "n * 7919 % 10007 % 100",
            newline = sql.newline,
            customer = sql.id("0", &format!("n * 7 % {customers}")),
            other = sql.id("0", "n % 20"),
            created = sql.time(&sql.seconds("n", tickets)),
            updated = sql.time(&format!("{} + n * 7919 % 86400", sql.seconds("n", tickets))),
            rare = (tickets / 30).max(100),
        );
        let words = "words (i, word) AS (VALUES (0, 'Printer'), (1, 'VPN'), (2, 'Laptop'), (3, 'Mouse'), (4, 'Login'), \
                     (5, 'Mail'), (6, 'Phone'), (7, 'Screen'), (8, 'Keyboard'), (9, 'Network'))";
        let [low, high] = range(from, to);
        app.execute(
            &format!("{numbers}, {words} {insert}"),
            [low.clone(), high.clone(), ann.email.clone().into()],
        )
        .await;
        let id = sql.id(&sql.millis("n", tickets), "n");
        let tags = format!(
            "INSERT INTO ticket_tags (ticket_id, tag) \
             SELECT {id}, 'team-' || (n % 20) FROM numbers UNION ALL \
             SELECT {id}, 'common' FROM numbers WHERE n % 20 <> 0 UNION ALL \
             SELECT {id}, 'rare' FROM numbers WHERE n % {} = 50",
            (tickets / 30).max(100)
        );
        app.execute(&format!("{numbers} {tags}"), [low, high]).await;
    }
    app.database()
        .optimize()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    if !sql.is_sqlite {
        // As the server does by itself, some time after so many rows. Not within a transaction.
        let server = sea_orm::Database::connect(app.database_url()).await;
        let server = server.unwrap_or_else(|error| panic!("{error}"));
        server
            .execute_unprepared("VACUUM (ANALYZE) tickets, ticket_tags, users")
            .await
            .unwrap_or_else(|error| panic!("{error}"));
    }
}

fn range(from: usize, to: usize) -> [doyen::data::sea_orm::Value; 2] {
    let number = |at: usize| i64::try_from(at).unwrap_or(i64::MAX).into();
    [number(from), number(to)]
}

/// Expressions that differ between the databases.
struct Dialect {
    is_sqlite: bool,
    newline: &'static str,
    /// The numbers from `$1` to below `$2`, as `numbers (n)`.
    numbers: &'static str,
}

impl Dialect {
    fn of(app: &Helpdesk) -> Self {
        if app.backend() == doyen_test::Backend::Sqlite {
            Self {
                is_sqlite: true,
                newline: "char(10)",
                numbers: "WITH RECURSIVE numbers (n) AS (SELECT $1 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < $2)",
            }
        } else {
            Self {
                is_sqlite: false,
                newline: "chr(10)",
                numbers: "WITH numbers (n) AS (SELECT generate_series($1::bigint, $2::bigint - 1))",
            }
        }
    }

    /// A UUID version 7 of a time in milliseconds and a number.
    fn id(&self, millis: &str, number: &str) -> String {
        if self.is_sqlite {
            format!("unhex(printf('%012x70008%015x', {millis}, {number}))")
        } else {
            format!(
                "(lpad(to_hex({millis}), 12, '0') || '70008' || lpad(to_hex({number}), 15, '0'))::uuid"
            )
        }
    }

    /// Seconds since 1970 of ticket `n`: 90 days for all tickets.
    fn seconds(&self, n: &str, tickets: usize) -> String {
        format!("(1780000000 + {n} * 7776000 / {tickets})")
    }

    fn millis(&self, n: &str, tickets: usize) -> String {
        format!("({} * 1000)", self.seconds(n, tickets))
    }

    /// A time in seconds since 1970, as the program stores it.
    fn time(&self, seconds: &str) -> String {
        if self.is_sqlite {
            format!("strftime('%Y-%m-%dT%H:%M:%S+00:00', {seconds}, 'unixepoch')")
        } else {
            format!("to_timestamp({seconds})")
        }
    }
}
