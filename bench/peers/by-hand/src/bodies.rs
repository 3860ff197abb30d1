//! The bodies that clients send, and their rules.

use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
pub struct Echo {
    pub subject: String,
    pub body: String,
    pub priority: i32,
    pub email: String,
    pub tags: Vec<String>,
}

#[derive(Deserialize)]
pub struct NewTicket {
    pub subject: String,
    pub body: String,
    pub priority: i32,
}

/// The answer to a body that breaks rules.
#[derive(Debug, Serialize)]
pub struct Violations {
    pub errors: Vec<Violation>,
}

#[derive(Debug, Serialize)]
pub struct Violation {
    pub field: &'static str,
    pub message: &'static str,
}

impl Echo {
    pub fn check(&self) -> Result<(), Violations> {
        let mut violations = Violations { errors: Vec::new() };
        violations.check_ticket(&self.subject, &self.body, self.priority);
        violations.unless(is_email(&self.email), "email", "must be an email address");
        violations.unless(self.tags.len() <= 10, "tags", "must be at most 10");
        let short = |tag: &String| has_characters(tag, 30);
        violations.unless(
            self.tags.iter().all(short),
            "tags",
            "must have 1 to 30 characters each",
        );
        violations.verdict()
    }
}

impl NewTicket {
    pub fn check(&self) -> Result<(), Violations> {
        let mut violations = Violations { errors: Vec::new() };
        violations.check_ticket(&self.subject, &self.body, self.priority);
        violations.verdict()
    }
}

impl Violations {
    fn check_ticket(&mut self, subject: &str, body: &str, priority: i32) {
        self.unless(
            has_characters(subject, 200),
            "subject",
            "must have 1 to 200 characters",
        );
        self.unless(
            has_characters(body, 5000),
            "body",
            "must have 1 to 5000 characters",
        );
        self.unless((1..=4).contains(&priority), "priority", "must be 1 to 4");
    }

    fn unless(&mut self, kept: bool, field: &'static str, message: &'static str) {
        if !kept {
            self.errors.push(Violation { field, message });
        }
    }

    fn verdict(self) -> Result<(), Self> {
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self)
        }
    }
}

/// From one character to this maximum.
fn has_characters(text: &str, most: usize) -> bool {
    !text.is_empty() && (text.len() <= most || text.chars().count() <= most)
}

fn is_email(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty() && !host.contains('@'))
}
