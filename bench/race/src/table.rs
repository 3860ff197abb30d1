//! Markdown tables that are also readable in a terminal.

/// Returns a Markdown table with padded columns. Columns of numbers are aligned to the right.
pub(crate) fn table(head: &[&str], rows: Vec<Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|word| (*word).to_owned()).collect();
    let columns: Vec<Column> = (0..head.len())
        .map(|at| Column::of(at, &head, &rows))
        .collect();
    let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
    let mut text = String::new();
    for (at, row) in std::iter::once(&head).chain(&rows).enumerate() {
        text += &line(
            row.iter()
                .zip(&columns)
                .map(|(cell, column)| column.pad(cell))
                .collect(),
        );
        if at == 0 {
            text += &line(columns.iter().map(Column::rule).collect());
        }
    }
    text
}

struct Column {
    width: usize,
    is_numbers: bool,
}

impl Column {
    /// Maximum width of a column. Longer cells are not padded and do not widen the column.
    const MAX_WIDTH: usize = 64;

    fn of(at: usize, head: &[String], rows: &[Vec<String>]) -> Self {
        let cells = || rows.iter().map(|row| row[at].as_str());
        let lengths = cells()
            .chain([head[at].as_str()])
            .map(|cell| cell.chars().count());
        let fits = lengths.filter(|length| *length <= Self::MAX_WIDTH);
        let begins = |cell: &str| {
            cell.chars()
                .next()
                .is_none_or(|first| first.is_ascii_digit())
        };
        Self {
            width: fits.max().unwrap_or(0).max(3),
            is_numbers: at > 0 && cells().all(|cell| begins(cell) && cell.len() < 24),
        }
    }

    fn pad(&self, cell: &str) -> String {
        let width = self.width;
        if self.is_numbers {
            format!("{cell:>width$}")
        } else {
            format!("{cell:width$}")
        }
    }

    fn rule(&self) -> String {
        let dashes = "-".repeat(self.width - 1);
        if self.is_numbers {
            dashes + ":"
        } else {
            dashes + "-"
        }
    }
}

/// Formats a number with three significant digits and commas for thousands.
pub(crate) fn number(value: f64) -> String {
    if value < 9.995 {
        return format!("{value:.2}");
    }
    if value < 99.95 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_significant_digits() {
        let formatted = [0.5, 9.994, 9.996, 99.94, 99.96, 1234.5, 1_234_567.0].map(number);
        assert_eq!(
            formatted,
            ["0.50", "9.99", "10.0", "99.9", "100", "1,234", "1,234,567"]
        );
    }

    #[test]
    fn the_columns_of_a_table_are_padded() {
        let rows = vec![
            vec!["axum".into(), "9.10".into()],
            vec!["µ".into(), "120".into()],
        ];
        assert_eq!(
            table(&["", "µs"], rows),
            "|      |   µs |\n| ---- | ---: |\n| axum | 9.10 |\n| µ    |  120 |\n"
        );
    }
}
