//! A22 to A25: deep, huge and invalid JSON, unusual Unicode, path traversal.

use crate::Attack;
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 4] = [
    Attack {
        id: "A22",
        run: deep_and_huge,
    },
    Attack {
        id: "A23",
        run: grammar,
    },
    Attack {
        id: "A24",
        run: unicode,
    },
    Attack {
        id: "A25",
        run: traversal,
    },
];

fn deep_and_huge(target: &Target) -> Verdict {
    let mut tally = Tally::new(
        "JSON 100 000 deep, numbers of 900 000 digits, 20 000 names, integers past every edge",
    );
    let deep = |open: &str, close: &str, count: usize| {
        format!("{}1{}", open.repeat(count), close.repeat(count))
    };
    let digits = "9".repeat(900_000);
    let many: String = (0..20_000).map(|n| format!("\"k{n}\":1,")).collect();
    let bodies = [
        ("[ × 100 000", "[".repeat(100_000)),
        ("[..] × 100 000", deep("[", "]", 100_000)),
        ("{\"a\": × 50 000", deep("{\"a\":", "}", 50_000)),
        ("a long number", format!("{{\"email\":{digits}}}")),
        ("1e400", "{\"email\":1e400}".to_owned()),
        ("-0", "{\"email\":-0}".to_owned()),
        ("many names", format!("{{{many}\"z\":1}}")),
        (
            "one name 20 000 times",
            format!("{{{}\"z\":1}}", "\"a\":1,".repeat(20_000)),
        ),
    ];
    for (what, body) in bodies {
        let response = target
            .request("POST", "/v1/auth/login")
            .bytes("application/json", body.into_bytes())
            .send();
        tally.expect_status(&[400, 413, 422], what, &response);
    }
    if let Ok(ada) = target.accounts.one() {
        for number in [
            "9007199254740993",
            "18446744073709551616",
            "-9223372036854775809",
            "1e400",
            "0.1",
            "-0",
            "1e2",
            "NaN",
            "Infinity",
        ] {
            let response = ada.get(target, &format!("/v1/tickets?page={number}&per_page=1"));
            // A page past the end is empty. The number must not overflow to another one.
            let kept = response.status == 200
                && response.json()["items"]
                    .as_array()
                    .is_some_and(Vec::is_empty);
            tally.expect(
                kept || matches!(response.status, 400 | 422),
                format!("page={number}"),
                &response,
            );
        }
    }
    tally.verdict()
}

/// Invalid JSON, and JSON that two parsers read differently. The tests of the helpdesk run the
/// whole JSONTestSuite.
const NOT_JSON: [&str; 40] = [
    "",
    " ",
    "{",
    "}",
    "[",
    "[1,]",
    "{\"a\":1,}",
    "{a:1}",
    "{'a':1}",
    "{\"a\":1}x",
    "{\"a\":1}{}",
    "[1 true]",
    "[-]",
    "[01]",
    "[1.]",
    "[.1]",
    "[+1]",
    "[1e]",
    "[0x1]",
    "[NaN]",
    "[Infinity]",
    "[-Infinity]",
    "[tru]",
    "nul",
    "\"a",
    "\"\\x\"",
    "\"\\u12\"",
    "\"\\ud800\"",
    "\"\\ud800\\u0041\"",
    "\"\t\"",
    "\"\n\"",
    "// a\n{}",
    "/* */{}",
    "{\"a\":1,\"a\":2}",
    "{\"a\" 1}",
    "{1:1}",
    "{\"a\":}",
    "[,1]",
    "\u{feff}{}",
    "{\"email\":\"a\0b\"}",
];

fn grammar(target: &Target) -> Verdict {
    let mut tally = Tally::new(format!(
        "{} bodies that are no JSON, 4 that are no UTF-8",
        NOT_JSON.len()
    ));
    let send = |bytes: Vec<u8>| {
        target
            .request("POST", "/v1/auth/login")
            .bytes("application/json", bytes)
            .send()
    };
    for text in NOT_JSON {
        // A byte order mark and a duplicate name may be rejected as invalid input.
        tally.expect_status(
            &[400, 422],
            format!("{text:?}"),
            &send(text.as_bytes().to_vec()),
        );
    }
    for bytes in [
        &b"{\"email\":\"\xff\"}"[..],
        b"\xff\xfe{\0}\0",
        b"{\"\xc0\xae\":1}",
        b"\"\xed\xa0\x80\"",
    ] {
        tally.expect_status(&[400, 422], format!("{bytes:?}"), &send(bytes.to_vec()));
    }
    let twice = "{\"email\":\"a@example.com\",\"email\":\"b@example.com\",\"password\":\"x\"}";
    tally.expect_status(
        &[400, 422],
        "a name twice",
        &send(twice.as_bytes().to_vec()),
    );
    tally.verdict()
}

fn unicode(target: &Target) -> Verdict {
    let ada = match target.accounts.one() {
        Ok(ada) => ada,
        Err(why) => return Verdict::not_applicable(why),
    };
    let texts = [
        "\u{202e}gnp.exe",
        "e\u{301} é",
        "👩‍👩‍👧‍👦",
        "𠜎𠜱",
        "\u{feff}bom",
        "a\u{200b}b",
        "ﷺ",
        "İı",
        "ß",
        "\u{1}\u{7f}",
        "\u{85}\u{2028}\u{2029}",
        "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
        "\u{e000}\u{10ffff}",
        "\\u0000",
        "%00",
        "{{7*7}}${7*7}",
        "<script>alert(1)</script>",
        "'; DROP TABLE tickets;--",
    ];
    let mut tally = Tally::new(format!(
        "{} texts that come back as they are, NUL and half a letter that do not",
        texts.len()
    ));
    for text in texts {
        let opened = ada.create_ticket(target, text);
        let kept = opened.status == 201 && opened.at("/subject") == text;
        let read = ada
            .get(target, &format!("/v1/tickets/{}", opened.at("/id")))
            .at("/subject");
        tally.expect(
            (kept && read == text) || opened.status == 422,
            format!("{text:?}"),
            &opened,
        );
    }
    for (what, body) in [
        ("NUL", "{\"subject\":\"a\\u0000b\",\"body\":\"b\"}"),
        ("half a letter", "{\"subject\":\"a\\ud83d\",\"body\":\"b\"}"),
    ] {
        let response = ada
            .request(target, "POST", "/v1/tickets")
            .bytes("application/json", body.into())
            .send();
        tally.expect_status(&[400, 422], what, &response);
    }
    for query in ["%00", "%ff", "%ed%a0%80", "%c0%ae"] {
        tally.expect_status(
            &[400, 422],
            format!("q={query}"),
            &ada.get(target, &format!("/v1/tickets?q={query}")),
        );
    }
    tally.verdict()
}

fn traversal(target: &Target) -> Verdict {
    let mut tally =
        Tally::new("ways out of the folder, at the root, the documentation and the problem pages");
    let ways = [
        "../../../../etc/passwd",
        "..%2f..%2f..%2f..%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "..%5c..%5cetc%5cpasswd",
        "..\\..\\etc\\passwd",
        "%252e%252e%252fetc%252fpasswd",
        "....//....//etc/passwd",
        "..;/..;/etc/passwd",
        "/etc/passwd",
        "%00/etc/passwd",
        "..%c0%af..%c0%afetc/passwd",
        "file:///etc/passwd",
        "../Cargo.toml",
        "..%2fdata%2fdev.key",
    ];
    for base in ["/", "/docs/", "/problems/", "/v1/tickets/"] {
        for way in ways {
            let response = target.get(&format!("{base}{way}")).send();
            let read = response.text().contains("root:") || response.text().contains("[package]");
            tally.expect(
                (response.is_refusal()) && !read,
                format!("{base}{way}"),
                &response,
            );
        }
    }
    tally.verdict()
}
