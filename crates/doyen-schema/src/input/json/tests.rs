use std::borrow::Cow;

use doyen_core::Problem as _;

use super::*;

fn read(text: &str) -> Result<Value<'_>, JsonError> {
    parse(text.as_bytes(), &Limits::default())
}

fn reason(bytes: &[u8]) -> Reason {
    parse(bytes, &Limits::default()).unwrap_err().reason
}

#[test]
fn text_without_escapes_is_borrowed() {
    let Value::Map(entries) = read(r#"{"plain": "a", "escaped\n": "\u00e9"}"#).unwrap() else {
        panic!("not an object")
    };
    assert!(matches!(
        &entries[0],
        (Cow::Borrowed("plain"), Value::Str(Cow::Borrowed("a")))
    ));
    assert!(
        matches!(&entries[1], (Cow::Owned(name), Value::Str(Cow::Owned(text))) if name == "escaped\n" && text == "é")
    );
}

#[test]
fn numbers_are_exact_or_doubles() {
    assert_eq!(
        read("9007199254740993"),
        Ok(Value::Int(9_007_199_254_740_993))
    );
    assert_eq!(
        read("18446744073709551615"),
        Ok(Value::Int(u64::MAX.into()))
    );
    assert_eq!(
        read("-9223372036854775808"),
        Ok(Value::Int(i64::MIN.into()))
    );
    assert_eq!(
        read("18446744073709551616"),
        Ok(Value::Float(18_446_744_073_709_551_616.0))
    );
    assert_eq!(read("-0"), Ok(Value::Float(-0.0)));
    assert_eq!(read("1.0"), Ok(Value::Float(1.0)));
    assert_eq!(read("1e-400"), Ok(Value::Float(0.0)));
    for odd in [
        "1e400", "-1e400", "NaN", "Infinity", "01", "+1", "1.", ".5", "0x10", "1e", "--1",
    ] {
        assert_eq!(
            reason(odd.as_bytes()),
            if odd.ends_with(['.', 'e']) {
                Reason::Incomplete
            } else {
                Reason::Syntax
            },
            "{odd}"
        );
    }
}

#[test]
fn invalid_json_is_refused() {
    let odd: [&[u8]; 16] = [
        b"{} {}",
        b"{}x",
        b"[1,]",
        b"{\"a\":1,}",
        b"{a:1}",
        b"'a'",
        b"\xef\xbb\xbf{}",
        b"\"\xff\"",
        b"\"\xc0\x80\"",
        b"\"\xed\xa0\x80\"",
        b"\"\\ud800x\"",
        b"\"\\udc00\"",
        b"\"\\ud800\\u0041\"",
        b"\"a\nb\"",
        b"// c\n{}",
        b"{1:2}",
    ];
    for bytes in odd {
        assert_eq!(
            reason(bytes),
            Reason::Syntax,
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
    assert_eq!(reason(b""), Reason::Empty);
    assert_eq!(reason(b"   "), Reason::Incomplete);
    assert_eq!(reason(b"{\"a\":"), Reason::Incomplete);
}

#[test]
fn depth_is_limited_before_the_stack_is() {
    let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    assert!(read(&deep(64)).is_ok());
    assert_eq!(reason(deep(65).as_bytes()), Reason::TooDeep);
    assert_eq!(reason("[".repeat(100_000).as_bytes()), Reason::TooDeep);
    assert_eq!(
        reason("{\"a\":".repeat(100_000).as_bytes()),
        Reason::TooDeep
    );
    let greedy = Limits {
        depth: usize::MAX,
        ..Limits::default()
    };
    assert_eq!(
        parse("[".repeat(100_000).as_bytes(), &greedy)
            .unwrap_err()
            .reason,
        Reason::TooDeep
    );
}

#[test]
fn a_name_twice_is_refused_with_its_pointer() {
    assert_eq!(
        reason(br#"{"a": 1, "b": [0, {"c/d": 1, "c\u002fd": 2}]}"#),
        Reason::DuplicateKey("/b/1/c~1d".into())
    );
    let error = read("{\n  \"a\": 1,\n  \"a\": 2\n}").unwrap_err();
    assert_eq!(error.line, 3);
    assert_eq!(error.info().code, "duplicate_key");
}

#[test]
fn many_names_are_checked_fast_and_right() {
    let list = |last: usize| {
        let names: Vec<String> = (0..10_000)
            .map(|n| format!("\"k{n}\":0"))
            .chain([format!("\"k{last}\":1")])
            .collect();
        format!("{{{}}}", names.join(","))
    };
    assert!(read(&list(10_000)).is_ok());
    assert_eq!(
        reason(list(0).as_bytes()),
        Reason::DuplicateKey("/k0".into())
    );
    assert_eq!(
        reason(list(9_999).as_bytes()),
        Reason::DuplicateKey("/k9999".into())
    );
}

#[test]
fn the_number_of_values_is_limited() {
    let limits = Limits {
        values: 4,
        ..Limits::default()
    };
    assert!(parse(b"[1,2,3]", &limits).is_ok());
    assert_eq!(
        parse(b"[1,2,3,4]", &limits).unwrap_err().info().code,
        "too_many_values"
    );
}

#[test]
fn an_error_never_shows_the_body() {
    let error = read(r#"{"password": "hunter2" oops}"#).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    assert_eq!(
        error.to_string(),
        "the body is not valid JSON (line 1, column 24)"
    );
}

mod random {
    use proptest::prelude::*;

    use super::*;

    /// Fragments of JSON in any order: most are not JSON, many are nearly so.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = proptest::sample::select(vec![
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"a\"",
            "\"b\"",
            "\"\\u0061\"",
            "\"",
            "\\",
            "1",
            "-",
            "0",
            ".5",
            "e9",
            "true",
            "null",
            " ",
            "\n",
            "\u{e9}",
            "\\ud83d",
            "\\ude00",
        ]);
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
    }

    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![pieces(), proptest::collection::vec(any::<u8>(), 0..16)]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, failure_persistence: None, ..ProptestConfig::default() })]

        /// The result equals that of `serde_json`, except for duplicate names, where it takes the
        /// last.
        #[test]
        fn the_parser_agrees_with_serde_json(bytes in bytes()) {
            let theirs = serde_json::from_slice::<serde_json::Value>(&bytes);
            match parse(&bytes, &Limits::default()) {
                Ok(ours) => prop_assert_eq!(ours.into_json(), theirs.unwrap()),
                Err(JsonError { reason: Reason::DuplicateKey(_), .. }) => {}
                Err(_) => prop_assert!(theirs.is_err()),
            }
        }
    }
}
