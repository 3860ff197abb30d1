//! Prints a numbered and timed line for each step of a command.

use std::time::{Duration, Instant};

use toolkit::{Context, Result};

/// Counts the steps of one command.
pub(crate) struct Steps {
    total: usize,
    done: usize,
    started: Instant,
}

impl Steps {
    pub(crate) fn new(total: usize) -> Self {
        Self {
            total,
            done: 0,
            started: Instant::now(),
        }
    }

    /// Runs one step; its error contains the name of the step.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result) -> Result {
        self.done += 1;
        let number = format!("[{:>2}/{}]", self.done, self.total);
        println!("{number} {name} ...");
        let started = Instant::now();
        work().context(|| format!("step {}/{} ({name}) failed", self.done, self.total))?;
        println!("{number} {name}: ok in {}", seconds(started.elapsed()));
        Ok(())
    }

    /// Returns the time since the first step.
    pub(crate) fn elapsed(&self) -> String {
        seconds(self.started.elapsed())
    }
}

/// `0.4 s`, `75.0 s`.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use toolkit::Failure;

    #[test]
    fn a_failed_step_is_named_and_numbered() {
        let mut steps = Steps::new(2);
        steps.step("first", || Ok(())).unwrap();
        let failure = steps
            .step("second", || Err(Failure::new("broken")))
            .unwrap_err();
        assert_eq!(failure.to_string(), "step 2/2 (second) failed: broken");
    }
}
