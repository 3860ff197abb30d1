//! The rows of the databases: the same in each run, on each machine and in each database.

use std::fmt::Write;

const USERS: u64 = 1_000;
pub(crate) const TICKETS: u64 = 10_000;
const COMMENTS: u64 = 30_000;

/// Returns the rows as statements for both databases.
///
/// The texts contain characters that JSON escapes and characters of several bytes, so that the
/// comparison covers the encoding.
pub(crate) fn sql() -> String {
    let mut rng = Rng(20);
    let mut sql = String::from("BEGIN;\n");
    let users = (1..=USERS).map(|id| {
        format!(
            "({id}, 'Person {id} {}')",
            rng.of(&["Müller", "O\"Neil", "Łuk", "Ito 伊藤"])
        )
    });
    insert(&mut sql, "users (id, name)", users.collect());
    let tickets = (1..=TICKETS).map(|id| {
        let subject = rng.of(&["Printer is out of paper", "Cannot \"log in\"", "Café menu: prices\\dates", "Screen stays dark"]);
        let assignee = if rng.below(5) == 0 {
            "NULL".to_owned()
        } else {
            (1 + rng.below(USERS)).to_string()
        };
        format!(
            "({id}, '{subject} ({id})', 'It began on day {}, and {} others have it too. {}', '{}', {}, {}, {assignee}, {})",
            rng.below(300),
            rng.below(90),
            "Nothing that was tried so far has helped. ".repeat(3),
            rng.of(&["open", "pending", "closed"]),
            1 + rng.below(4),
            1 + rng.below(USERS),
            1_700_000_000_000 + id * 60_000 + rng.below(60_000),
        )
    });
    let columns =
        "tickets (id, subject, body, status, priority, reporter_id, assignee_id, created_ms)";
    insert(&mut sql, columns, tickets.collect());
    let comments = (1..=COMMENTS).map(|id| {
        format!(
            "({id}, {}, 'Comment {id}: has it been switched off and on?')",
            1 + rng.below(TICKETS)
        )
    });
    insert(
        &mut sql,
        "comments (id, ticket_id, body)",
        comments.collect(),
    );
    sql.push_str("COMMIT;\n");
    sql
}

fn insert(sql: &mut String, into: &str, rows: Vec<String>) {
    for some in rows.chunks(500) {
        let _ = writeln!(sql, "INSERT INTO {into} VALUES\n{};", some.join(",\n"));
    }
}

/// A reproducible pseudorandom generator: a linear congruential generator with the factors of
/// Knuth.
struct Rng(u64);

impl Rng {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(words.len() as u64)).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_are_complete_and_reproducible() {
        let text = sql();
        assert_eq!(text, sql());
        assert!(
            text.contains("(10000, '") && text.contains("(30000, ") && text.contains(", NULL, ")
        );
        assert_eq!(text.matches("INSERT INTO").count(), 2 + 20 + 60);
    }

    #[test]
    fn the_numbers_cover_the_range() {
        let mut rng = Rng(1);
        let mut seen = [0; 5];
        for _ in 0..1_000 {
            seen[usize::try_from(rng.below(5)).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|count| (100..300).contains(count)),
            "{seen:?}"
        );
    }
}
