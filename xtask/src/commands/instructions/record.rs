//! The file of recorded numbers.

use std::collections::BTreeMap;
use std::fmt::Write;

use toml::{Table, Value};
use toolkit::{Context, Failure, Result, workspace};

use super::case::CASES;

pub(super) const FILE: &str = "bench/instructions.toml";

const HEAD: &str = "\
# What a request costs Doyen, in instructions: bench/README.md says how it is counted. Written by `cargo xtask instructions --record`, and
# compared by `cargo xtask instructions` and the gate.
#
# The numbers are for Linux on x86_64 only. Another compiler counts others, so it is named.
";

/// The recorded cost of a request, for each case.
#[derive(Debug, PartialEq)]
pub(super) struct Record {
    /// `rustc --version`.
    pub(super) compiler: String,
    pub(super) costs: BTreeMap<String, u64>,
}

impl Record {
    pub(super) fn read() -> Result<Self> {
        Self::parse(&workspace::read(FILE)?).context(|| FILE.to_owned())
    }

    pub(super) fn write(&self) -> Result {
        std::fs::write(workspace::root().join(FILE), self.text())
            .context(|| format!("writing {FILE}"))
    }

    fn parse(text: &str) -> Result<Self> {
        let table: Table = text.parse()?;
        let compiler = table.get("compiler").and_then(Value::as_str);
        let costs = table.get("instructions").and_then(Value::as_table);
        let (Some(compiler), Some(costs)) = (compiler, costs) else {
            return Err(Failure::new("has no `compiler` or no `[instructions]`"));
        };
        let costs = costs.iter().map(|(case, cost)| {
            let cost = cost.as_integer().and_then(|cost| u64::try_from(cost).ok());
            match cost {
                Some(cost) if cost > 0 => Ok((case.clone(), cost)),
                _ => Err(Failure::new(format!("{case} is not a number above 0"))),
            }
        });
        Ok(Self {
            compiler: compiler.to_owned(),
            costs: costs.collect::<Result<_>>()?,
        })
    }

    fn text(&self) -> String {
        let Self { compiler, costs } = self;
        let mut text = format!("{HEAD}\ncompiler = \"{compiler}\"\n\n[instructions]\n");
        for case in CASES {
            if let Some(cost) = costs.get(case) {
                let _ = writeln!(text, "{case} = {cost}");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let record = Record {
            compiler: "rustc 1.95.0".into(),
            costs: CASES.map(|case| (case.to_owned(), 25_173)).into(),
        };
        assert_eq!(Record::parse(&record.text()).unwrap(), record);
    }

    #[test]
    fn a_number_that_is_none_is_refused() {
        for cost in ["\"25173\"", "0", "-1", "2.5"] {
            let text = format!("compiler = \"\"\n[instructions]\nbare-json = {cost}\n");
            let failure = Record::parse(&text).unwrap_err().to_string();
            assert!(failure.contains("bare-json"), "{failure}");
        }
        assert!(Record::parse("[instructions]\n").is_err());
        assert!(Record::parse("compiler = \"\"\n").is_err());
    }
}
