//! Names: words in snake case, and the types, routes and titles that follow from them.

/// Keywords of Rust.
const RUST: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Words that SQL reserves in SQLite or PostgreSQL.
const SQL: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "asc",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current",
    "default",
    "deferrable",
    "delete",
    "desc",
    "distinct",
    "drop",
    "end",
    "except",
    "exists",
    "fetch",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "index",
    "indexed",
    "insert",
    "intersect",
    "into",
    "is",
    "join",
    "key",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "natural",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "placing",
    "primary",
    "references",
    "returning",
    "right",
    "select",
    "set",
    "some",
    "symmetric",
    "table",
    "then",
    "to",
    "trailing",
    "transaction",
    "union",
    "unique",
    "update",
    "user",
    "using",
    "values",
    "variadic",
    "when",
    "window",
    "with",
];

/// Types that the generated files use.
const TYPES: &[&str] = &[
    "Arc",
    "Box",
    "By",
    "Clock",
    "Created",
    "Decimal",
    "Draft",
    "Edit",
    "Id",
    "IfMatch",
    "InMemory",
    "Inject",
    "Input",
    "Json",
    "LinkMap",
    "Links",
    "MergePatch",
    "Module",
    "Mutex",
    "NaiveDate",
    "Named",
    "NoContent",
    "Option",
    "Output",
    "Page",
    "Paging",
    "Patch",
    "Problem",
    "Result",
    "Row",
    "Scope",
    "Self",
    "Session",
    "Set",
    "String",
    "Timestamp",
    "Unexpected",
    "User",
    "Vec",
    "Violation",
];

/// Modules of a generated application and of its tests, and crates that it uses.
const MODULES: &[&str] = &[
    "access", "alloc", "contract", "core", "doyen", "main", "std", "support", "tests", "users",
];

/// Checks that a word can be used for a module, a column and a field.
pub(crate) fn check(word: &str) -> Result<(), String> {
    check_word(word)?;
    refuse(word, "SQL", SQL)
}

/// Checks that a word can be used in Rust code, and is no name in SQL.
pub(crate) fn check_word(word: &str) -> Result<(), String> {
    check_letters(word)?;
    refuse(word, "Rust", RUST)
}

/// Checks the letters of a word.
pub(crate) fn check_letters(word: &str) -> Result<(), String> {
    let mut letters = word.chars();
    let starts = letters.next().is_some_and(|c| c.is_ascii_lowercase());
    let fits = letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if !starts || !fits || word.ends_with('_') || word.contains("__") || word.len() > 40 {
        return Err(format!(
            "`{word}` is no name: write at most 40 lower-case letters, digits and single `_`, such as `line_items`"
        ));
    }
    Ok(())
}

fn refuse(word: &str, language: &str, reserved: &[&str]) -> Result<(), String> {
    match reserved.contains(&word) {
        true => Err(format!(
            "`{word}` is a reserved word of {language}: choose another name, such as `{word}_name`"
        )),
        false => Ok(()),
    }
}

/// Checks that the type of one item hides no type of the framework.
pub(crate) fn check_type(singular: &str) -> Result<(), String> {
    check_word(singular)?;
    let name = pascal(singular);
    if TYPES.contains(&name.as_str()) {
        return Err(format!(
            "`{name}` is a type of the framework: choose another name, such as `shop_{singular}s`"
        ));
    }
    Ok(())
}

/// Checks that a word can name a domain: a module of the application.
pub(crate) fn check_module(word: &str) -> Result<(), String> {
    check(word)?;
    if MODULES.contains(&word) {
        return Err(format!(
            "`{word}` is a module that an application already has: choose another name, such as `shop_{word}`"
        ));
    }
    Ok(())
}

/// `line_item` → `LineItem`.
pub(crate) fn pascal(word: &str) -> String {
    word.split(['_', '-'])
        .map(|part| {
            let mut letters = part.chars();
            letters.next().map_or_else(String::new, |first| {
                first.to_uppercase().chain(letters).collect()
            })
        })
        .collect()
}

/// `LineItem` → `line_item`.
pub(crate) fn snake(name: &str) -> String {
    let mut word = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            word.push('_');
        }
        word.extend(letter.to_lowercase());
    }
    word
}

/// `line_item` → `line item`.
pub(crate) fn spaced(word: &str) -> String {
    word.replace(['_', '-'], " ")
}

/// `line_item` → `Line item`.
pub(crate) fn title(word: &str) -> String {
    let text = spaced(word);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// `order` → `an order`.
pub(crate) fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {}", spaced(word))
}

/// `orders` → `order`, `categories` → `category`, `boxes` → `box`. `None` if the word is not a
/// regular plural.
pub(crate) fn singular(plural: &str) -> Option<String> {
    if let Some(stem) = plural.strip_suffix("ies").filter(|stem| stem.len() > 1) {
        return Some(format!("{stem}y"));
    }
    for ending in ["sses", "shes", "ches", "xes", "zes"] {
        if plural.ends_with(ending) {
            return plural.strip_suffix("es").map(str::to_owned);
        }
    }
    if plural.ends_with("ss") || plural.ends_with("us") || plural.ends_with("is") {
        return None;
    }
    plural
        .strip_suffix('s')
        .filter(|stem| stem.len() > 1)
        .map(str::to_owned)
}

/// `order` → `orders`. The reverse of [`singular`].
pub(crate) fn plural(singular: &str) -> String {
    if let Some(stem) = singular.strip_suffix('y')
        && !stem.ends_with(['a', 'e', 'i', 'o', 'u'])
    {
        return format!("{stem}ies");
    }
    if ["s", "sh", "ch", "x", "z"]
        .iter()
        .any(|ending| singular.ends_with(ending))
    {
        return format!("{singular}es");
    }
    format!("{singular}s")
}

/// The prefix of ids: `order` → `ord`. Letters and digits only.
pub(crate) fn prefix(singular: &str) -> String {
    singular.chars().filter(|c| *c != '_').take(3).collect()
}

/// The problem of a value that another item has: `Invoice` and `number` → `InvoiceNumberTaken`.
pub(crate) fn taken(item: &str, field: &str) -> String {
    format!("{item}{}Taken", pascal(field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plurals_and_back() {
        for (many, one) in [
            ("orders", "order"),
            ("categories", "category"),
            ("boxes", "box"),
            ("branches", "branch"),
            ("addresses", "address"),
            ("line_items", "line_item"),
            ("days", "day"),
        ] {
            assert_eq!(singular(many).as_deref(), Some(one));
            assert_eq!(plural(one), many);
        }
        for word in ["order", "status", "address", "analysis", "people"] {
            assert_eq!(singular(word), None, "{word}");
        }
    }

    #[test]
    fn words_become_types_and_titles() {
        assert_eq!(pascal("line_item"), "LineItem");
        assert_eq!(pascal("my-api"), "MyApi");
        assert_eq!(snake("LineItem"), "line_item");
        assert_eq!(title("line_item"), "Line item");
        assert_eq!(with_article("order"), "an order");
        assert_eq!(prefix("line_item"), "lin");
    }

    #[test]
    fn reserved_words_are_refused_with_a_way_out() {
        for (word, part) in [
            ("order", "reserved word of SQL"),
            ("type", "reserved word of Rust"),
            ("Order", "lower-case"),
            ("9lives", "lower-case"),
            ("a__b", "single `_`"),
            ("", "is no name"),
        ] {
            let error = check(word).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        assert!(check_type("page").unwrap_err().contains("`Page` is a type"));
        assert_eq!(check("line_items"), Ok(()));
    }
}
