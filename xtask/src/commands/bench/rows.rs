//! The rows of the race: the same in each run, on each machine and in each database.

use std::fmt::Write;

const USERS: u64 = 1_000;
pub(super) const TICKETS: u64 = 10_000;
const COMMENTS: u64 = 30_000;

/// The rows, as statements that both databases take.
///
/// Texts hold what JSON must escape and what is longer than a byte, so that the comparison sees who writes it how.
pub(super) fn sql() -> String {
    let mut dice = Dice(20);
    let mut sql = String::from("BEGIN;\n");
    let users = (1..=USERS).map(|id| {
        format!(
            "({id}, 'Person {id} {}')",
            dice.of(&["Müller", "O\"Neil", "Łuk", "Ito 伊藤"])
        )
    });
    insert(&mut sql, "users (id, name)", users.collect());
    let tickets = (1..=TICKETS).map(|id| {
        let subject = dice.of(&["Printer is out of paper", "Can not \"log in\"", "Café menu: prices\\dates", "Screen stays dark"]);
        let assignee = if dice.below(5) == 0 {
            "NULL".to_owned()
        } else {
            (1 + dice.below(USERS)).to_string()
        };
        format!(
            "({id}, '{subject} ({id})', 'It began on day {}, and {} others have it too. {}', '{}', {}, {}, {assignee}, {})",
            dice.below(300),
            dice.below(90),
            "Nothing that was tried so far has helped. ".repeat(3),
            dice.of(&["open", "pending", "closed"]),
            1 + dice.below(4),
            1 + dice.below(USERS),
            1_700_000_000_000 + id * 60_000 + dice.below(60_000),
        )
    });
    let columns =
        "tickets (id, subject, body, status, priority, reporter_id, assignee_id, created_ms)";
    insert(&mut sql, columns, tickets.collect());
    let comments = (1..=COMMENTS).map(|id| {
        format!(
            "({id}, {}, 'Comment {id}: has it been switched off and on?')",
            1 + dice.below(TICKETS)
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

/// Numbers that look random and are the same in every run (a linear congruential generator with Knuth's factors).
struct Dice(u64);

impl Dice {
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
    fn the_rows_are_always_the_same_and_all_there() {
        let text = sql();
        assert_eq!(text, sql());
        assert!(
            text.contains("(10000, '") && text.contains("(30000, ") && text.contains(", NULL, ")
        );
        assert_eq!(text.matches("INSERT INTO").count(), 2 + 20 + 60);
    }

    #[test]
    fn the_dice_reach_every_side() {
        let mut dice = Dice(1);
        let mut seen = [0; 5];
        for _ in 0..1_000 {
            seen[usize::try_from(dice.below(5)).unwrap()] += 1;
        }
        assert!(
            seen.iter().all(|count| (100..300).contains(count)),
            "{seen:?}"
        );
    }
}
