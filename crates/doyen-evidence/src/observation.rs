//! One observed request.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use doyen_core::sync::lock;
use doyen_core::{
    Observation, ObservedLimit, ObservedResponse, ObservedStatement, ObservedStep, StepKind,
    StepValue, step_names,
};

use crate::finding::{Code, Finding};
use crate::limits::Limits;
use crate::observer::Shared;
use crate::thread_usage::ThreadUsage;

/// Maximum number of different statements that are kept of a request.
const MAX_STATEMENTS: usize = 200;

/// Collects what happens in one request.
#[derive(Debug)]
pub(crate) struct Observed {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    poll: Option<ThreadUsage>,
    longest_poll: Option<Duration>,
    statements: Vec<Statement>,
    transaction: Option<Transaction>,
    /// The longest transaction, and the longest wait in one.
    open: Duration,
    idle: Duration,
    /// Policy and number of concurrent loads of the cached value with the most.
    loads: Option<(Box<str>, u32)>,
    /// The first call to another service, password hash or mail.
    expensive: Option<Box<str>>,
}

/// A statement by its text.
#[derive(Debug)]
struct Statement {
    sql: Box<str>,
    count: u32,
    time: Duration,
    max_rows: usize,
}

/// The open transaction.
#[derive(Debug)]
struct Transaction {
    began: Instant,
    /// End of the last statement.
    last: Instant,
}

impl Observed {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            state: Mutex::default(),
        }
    }
}

impl Observation for Observed {
    fn poll_begins(&self) {
        lock(&self.state).poll = ThreadUsage::now();
    }

    fn poll_ended(&self) {
        let mut state = lock(&self.state);
        let before = state.poll.take();
        let blocked = before.and_then(|before| before.blocked(self.shared.limits.blocking));
        state.longest_poll = state.longest_poll.max(blocked);
    }

    fn statement(&self, statement: &ObservedStatement<'_>) {
        let mut state = lock(&self.state);
        let state = &mut *state;
        if let Some(transaction) = &mut state.transaction {
            let idle = statement
                .started
                .saturating_duration_since(transaction.last);
            state.idle = state.idle.max(idle);
            transaction.last = statement.started + statement.time;
        }
        let rows = statement.rows.unwrap_or_default();
        // The last first: a loop repeats the same statement.
        let mut known = state.statements.iter_mut().rev();
        if let Some(known) = known.find(|known| *known.sql == *statement.sql) {
            known.count += 1;
            known.time += statement.time;
            known.max_rows = known.max_rows.max(rows);
        } else if state.statements.len() < MAX_STATEMENTS {
            state.statements.push(Statement {
                sql: statement.sql.into(),
                count: 1,
                time: statement.time,
                max_rows: rows,
            });
        }
    }

    fn step(&self, step: &ObservedStep<'_>) {
        if step.kind == StepKind::Client
            || [step_names::PASSWORD_HASH, step_names::MAIL].contains(&step.name)
        {
            lock(&self.state)
                .expensive
                .get_or_insert_with(|| step.name.into());
        } else if let Some(StepValue::Integer(loads)) =
            attribute(step, step_names::CONCURRENT_LOADS)
        {
            let loads = u32::try_from(loads).unwrap_or(u32::MAX);
            let most = &mut lock(&self.state).loads;
            if most.as_ref().is_none_or(|(_, most)| *most < loads)
                && let Some(StepValue::Text(policy)) = attribute(step, step_names::CACHE_POLICY)
            {
                *most = Some((policy.into(), loads));
            }
        }
    }

    fn transaction_began(&self) {
        let now = Instant::now();
        lock(&self.state).transaction.get_or_insert(Transaction {
            began: now,
            last: now,
        });
    }

    fn transaction_ended(&self) {
        let mut state = lock(&self.state);
        if let Some(transaction) = state.transaction.take() {
            state.idle = state.idle.max(transaction.last.elapsed());
            state.open = state.open.max(transaction.began.elapsed());
        }
    }

    fn response(&self, response: &ObservedResponse<'_>) {
        let shared = &self.shared;
        let state = std::mem::take(&mut *lock(&self.state));
        #[cfg(feature = "database")]
        if let Some(record) = &shared.record {
            for statement in &state.statements {
                record.add(&statement.sql, statement.count, statement.time);
            }
        }
        let (method, route) = (response.method, response.route);
        for finding in state.findings(&shared.limits, response) {
            if !shared.limits.allows(finding.code, method, route) {
                shared.counts.add(finding.code);
                finding.log(method, route);
            }
        }
    }
}

impl State {
    fn findings(self, limits: &Limits, response: &ObservedResponse<'_>) -> Vec<Finding> {
        let mut findings = self.repeated(limits);
        findings.extend(self.unbounded(limits));
        let times = [
            (Code::BlockingPoll, self.longest_poll, limits.blocking),
            (
                Code::ConnectionHeld,
                Some(self.idle),
                limits.idle_transaction,
            ),
            (
                Code::LongTransaction,
                Some(self.open),
                limits.long_transaction,
            ),
        ];
        for (code, time, limit) in times {
            if let Some(time) = time.filter(|time| *time >= limit) {
                findings.push(Finding {
                    millis: u64::try_from(time.as_millis()).ok(),
                    ..Finding::new(code)
                });
            }
        }
        let is_json = response.media_type.is_some_and(is_json);
        let large = response
            .bytes
            .filter(|bytes| *bytes > limits.response_bytes);
        if is_json && large.is_some() {
            findings.push(Finding {
                bytes: large,
                ..Finding::new(Code::LargeResponse)
            });
        }
        findings.extend(self.stampede(limits));
        findings.extend(self.missing_limit(limits, response));
        findings
    }

    fn stampede(&self, limits: &Limits) -> Option<Finding> {
        let (policy, loads) = self.loads.as_ref()?;
        (*loads >= limits.concurrent_loads).then(|| Finding {
            cache: Some(policy.clone()),
            count: Some(*loads),
            ..Finding::new(Code::CacheStampede)
        })
    }

    /// Work that costs more than the request, without a limit on how often it is caused. A query
    /// counts only if anyone can cause it.
    fn missing_limit(&self, limits: &Limits, response: &ObservedResponse<'_>) -> Option<Finding> {
        match response.limit {
            ObservedLimit::Counted => return None,
            ObservedLimit::Absent if limits.is_limited_elsewhere => return None,
            ObservedLimit::Uncounted | ObservedLimit::Absent => {}
        }
        let write = || self.statements.iter().find(|one| is_write(&one.sql));
        let query = || self.statements.first().filter(|_| response.is_anonymous);
        let work = self.expensive.clone().or_else(|| {
            let sql = &write().or_else(query)?.sql;
            Some(first_word(sql).to_ascii_uppercase().into())
        })?;
        Some(Finding {
            work: Some(work),
            ..Finding::new(Code::MissingLimit)
        })
    }

    /// Queries that were repeated. Writes are not counted: each event and each job of a request is
    /// an insert.
    fn repeated(&self, limits: &Limits) -> Vec<Finding> {
        let queries = || self.statements.iter().filter(|one| is_query(&one.sql));
        let all: u32 = queries().map(|statement| statement.count).sum();
        if all < limits.repeated_statements {
            return Vec::new();
        }
        let mut shapes: Vec<(String, u32)> = Vec::new();
        for statement in queries() {
            let shape = shape(&statement.sql);
            match shapes.iter_mut().find(|(known, _)| *known == shape) {
                Some((_, count)) => *count += statement.count,
                None => shapes.push((shape, statement.count)),
            }
        }
        shapes.retain(|(_, count)| *count >= limits.repeated_statements);
        let finding = |(shape, count)| Finding {
            statement: Some(shape),
            count: Some(count),
            ..Finding::new(Code::RepeatedStatement)
        };
        shapes.into_iter().map(finding).collect()
    }

    fn unbounded(&self, limits: &Limits) -> Option<Finding> {
        let statements = self.statements.iter();
        let largest = statements
            .filter(|one| one.max_rows > limits.list_rows && !has_limit(&one.sql))
            .max_by_key(|one| one.max_rows)?;
        Some(Finding {
            statement: Some(shape(&largest.sql)),
            rows: u64::try_from(largest.max_rows).ok(),
            ..Finding::new(Code::UnboundedList)
        })
    }
}

/// Returns the text without the number of values.
fn shape(sql: &str) -> String {
    #[cfg(feature = "database")]
    return doyen_data::statement_shape(sql);
    #[cfg(not(feature = "database"))]
    sql.to_owned()
}

fn attribute<'a>(step: &ObservedStep<'a>, name: &str) -> Option<StepValue<'a>> {
    let mut attributes = step.attributes.iter();
    attributes.find_map(|(known, value)| (*known == name).then_some(*value))
}

fn first_word(sql: &str) -> &str {
    let mut words = sql.trim_start().split(|c: char| !c.is_ascii_alphabetic());
    words.next().unwrap_or_default()
}

fn is_query(sql: &str) -> bool {
    is_any(first_word(sql), &["SELECT", "WITH"])
}

/// True for a statement that changes rows, also below a `WITH`.
fn is_write(sql: &str) -> bool {
    let writes = |word: &str| is_any(word, &["INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"]);
    let word = first_word(sql);
    writes(word) || word.eq_ignore_ascii_case("WITH") && words(sql).any(writes)
}

fn has_limit(sql: &str) -> bool {
    words(sql).any(|word| is_any(word, &["LIMIT", "FETCH"]))
}

fn words(sql: &str) -> impl Iterator<Item = &str> {
    sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

fn is_any(word: &str, all: &[&str]) -> bool {
    all.iter().any(|one| word.eq_ignore_ascii_case(one))
}

/// True for `application/json` and types such as `application/hal+json`.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.ends_with("/json") || essence.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_word_of_its_own() {
        assert!(has_limit("SELECT * FROM t\nlimit 5"));
        assert!(has_limit("SELECT * FROM t FETCH FIRST 5 ROWS ONLY"));
        assert!(!has_limit("SELECT rate_limit, limits FROM t"));
        assert!(is_query("\n WITH x AS (SELECT 1) SELECT * FROM x"));
        assert!(!is_query("INSERT INTO t SELECT 1"));
        assert!(is_write("  insert into t values (1)"));
        assert!(is_write("WITH old AS (SELECT 1) DELETE FROM t"));
        assert!(!is_write(
            "WITH x AS (SELECT updated FROM t) SELECT * FROM x"
        ));
        assert!(!is_write("SELECT 'INSERT'") && !is_write("SAVEPOINT a"));
        assert!(is_json("application/hal+json; charset=utf-8") && !is_json("text/html"));
    }
}
