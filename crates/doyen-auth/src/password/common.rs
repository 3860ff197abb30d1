//! Passwords that are tried first.
//!
//! `common.txt` is our own compilation of words that lists of leaked passwords agree on. Most of
//! what such lists hold is one of these words with a few digits or signs behind it, or a pattern on
//! the keyboard; both are recognised instead of listed.
//!
//! `frequent.txt` is such a list: what is on it and at least as long as a password must be, some
//! eleven thousand, in the order of how often they are found. ASVS 6.2.4 asks for the first three
//! thousand.
//!
//! And what is known of the person is tried before any list: their address, their name, the name of
//! the service. [`is_personal`] finds passwords that are nothing else.

use std::collections::HashSet;
use std::sync::LazyLock;

static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("common.txt")
        .lines()
        .chain(include_str!("frequent.txt").lines())
        .filter(|line| !line.starts_with('#'))
        .collect()
});

/// The longest tail that is looked behind: `2024!`, `12345`.
const TAIL: usize = 5;
/// Up to this length a repetition or a run is a pattern that guessers try. Longer ones are not
/// worth their time.
const PATTERN: usize = 16;

/// True for a listed word, also in capitals, with letters replaced (`p@ssw0rd`), said twice, or
/// with up to five digits or signs at its end; and for repetitions and runs such as `abcabcabc`,
/// `12345678`, `hgfedcba`.
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    if WORDS.contains(&*lower) {
        return true;
    }
    let mut chars: Vec<char> = lower.chars().collect();
    let patterns = chars.len() <= PATTERN;
    let unit = unit(&chars);
    if patterns && unit * 3 <= chars.len() {
        return true;
    }
    if unit * 2 == chars.len() {
        chars.truncate(unit);
    }
    if patterns && is_run(&chars) {
        return true;
    }
    let tail = chars
        .iter()
        .rev()
        .take_while(|c| !c.is_alphabetic())
        .take(TAIL)
        .count();
    // Each possible cut, because a word may end in a digit itself: `trustno1`, `trustno12`.
    (0..=tail).any(|cut| {
        let stem: String = chars[..chars.len() - cut].iter().collect();
        WORDS.contains(&*stem) || WORDS.contains(&*plain(&stem))
    })
}

/// The shortest word about a person that is looked for: in shorter ones everything would be found.
const SHORTEST_WORD: usize = 4;

/// True when nothing is left of a password but a tail, or a listed word, once these words and their
/// parts are taken out: `ada.lovelace@example.com` makes `AdaLovelace1815!` personal, and not `ada
/// walks to the lake`.
pub(super) fn is_personal(password: &str, words: &[&str]) -> bool {
    let lower = password.to_lowercase();
    let mut parts: Vec<String> = words
        .iter()
        .map(|word| word.to_lowercase())
        .flat_map(|word| {
            let parts: Vec<String> = word
                .split(|c: char| !c.is_alphanumeric())
                .map(str::to_owned)
                .collect();
            std::iter::once(word).chain(parts)
        })
        .filter(|part| part.chars().count() >= SHORTEST_WORD)
        .collect();
    // The longest first: what holds another word goes before it.
    parts.sort_by_key(|part| std::cmp::Reverse(part.len()));
    [lower.clone(), plain(&lower)].iter().any(|password| {
        let rest = parts.iter().fold(password.clone(), |rest, part| {
            rest.replace(part.as_str(), "")
        });
        if rest.len() == password.len() {
            return false;
        }
        let tail = rest
            .chars()
            .rev()
            .take_while(|c| !c.is_alphabetic())
            .take(TAIL);
        // A few letters may be a name that is too short to look for.
        rest.chars().count() - tail.count() < SHORTEST_WORD || is_common(&rest)
    })
}

/// With the usual replacements undone.
fn plain(word: &str) -> String {
    let letter = |c| match c {
        '@' | '4' => 'a',
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '$' | '5' => 's',
        '7' => 't',
        c => c,
    };
    word.chars().map(letter).collect()
}

/// Each character the next one after the one before, up or down, or the same.
fn is_run(chars: &[char]) -> bool {
    let steps: HashSet<i64> = chars
        .windows(2)
        .map(|pair| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0])))
        .collect();
    steps.len() == 1 && steps.iter().all(|step| step.abs() <= 1)
}

/// The length of the shortest text that this is a repetition of.
fn unit(chars: &[char]) -> usize {
    (1..=chars.len())
        .find(|size| {
            chars
                .iter()
                .zip(chars.iter().skip(*size))
                .all(|(a, b)| a == b)
        })
        .unwrap_or(chars.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_passwords_of_every_leak_are_recognised() {
        for password in [
            "password",
            "Password1",
            "PASSWORD123",
            "P@ssw0rd",
            "p@$$w0rd!",
            "passw0rd1",
            "password2024!",
            "12345678",
            "123456789",
            "87654321",
            "11111111",
            "qwertyui",
            "qwerty123",
            "1q2w3e4r",
            "1qaz2wsx",
            "qwertyuiop",
            "asdfghjkl",
            "iloveyou",
            "iloveyou1",
            "trustno1",
            "sunshine",
            "princess1",
            "football",
            "baseball",
            "superman",
            "letmein1",
            "letmein123!",
            "welcome1",
            "dragon123",
            "monkey12",
            "abcd1234",
            "abc12345",
            "abcabcabc",
            "zxcvbnm1",
            "admin123",
            "administrator",
            "changeme",
            "changeme1",
            "starwars",
            "whatever",
            "michael1",
            "jennifer",
            "liverpool",
            "qazwsxedc",
            "1234qwer",
            "qwer1234",
            "aa123456",
            "a1234567",
            "passpass",
            "12341234",
            "internet",
            "computer",
            "access14",
            "secret12",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn other_passwords_are_left_alone() {
        for password in [
            "correct horse battery staple",
            "k7-qx2zw",
            "passwordless future",
            "dragon fruit for lunch",
            "sunshine over the valley",
            "123456 is my luggage",
            "žluťoučký kůň",
            "Tr0ub4dor&3",
            "98237465",
            "aaaabbbbc",
            &"a".repeat(128),
            &"Aa1!".repeat(8),
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn p1_the_three_thousand_most_frequent_are_refused_in_any_dress() {
        let frequent: Vec<&str> = include_str!("frequent.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert!(frequent.len() > 10_000, "{}", frequent.len());
        assert_eq!(&frequent[..3], ["password", "12345678", "123456789"]);
        for word in &frequent {
            assert!(word.chars().count() >= 8, "{word}");
            assert!(is_common(word), "{word}");
            assert!(is_common(&word.to_uppercase()), "{word}");
        }
        for word in ["creative", "airborne", "blahblah"] {
            assert!(is_common(&format!("{word}!2")), "{word}");
        }
    }

    #[test]
    fn p1_what_is_known_of_a_person_is_no_password() {
        let ada = ["ada.lovelace@example.com", "Helpdesk"];
        for password in [
            "ada.lovelace",
            "AdaLovelace1815!",
            "lovelace2024",
            "L0velace!",
            "helpdesk",
            "Helpdesk2024",
            "Helpdesk-Lovelace",
            "ada.lovelace@example.com",
            "passwordhelpdesk",
            "adalovelace",
        ] {
            assert!(is_personal(password, &ada), "{password}");
        }
        for password in [
            "correct horse battery staple",
            "ada walks to the lake",
            "lovelace likes long walks",
            "a helpdesk of sorrows",
            "k7-qx2zw",
        ] {
            assert!(!is_personal(password, &ada), "{password}");
        }
        assert!(!is_personal("whatever it is", &[]));
    }

    #[test]
    fn the_list_is_sorted_lower_case_and_without_doubles() {
        let words: Vec<&str> = include_str!("common.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .collect();
        assert!(
            words.windows(2).all(|pair| pair[0] < pair[1]),
            "{:?}",
            words.windows(2).find(|pair| pair[0] >= pair[1])
        );
        assert!(words.iter().all(|word| word.to_lowercase() == **word
            && word.chars().count() >= 3
            && !word.contains(' ')));
        assert!(words.len() > 900, "{}", words.len());
    }
}
