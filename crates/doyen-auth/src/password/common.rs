//! Common passwords.
//!
//! `common.txt` is our own compilation of words that occur in lists of leaked passwords. Most
//! entries of such lists are one of these words followed by a few digits or symbols, or a keyboard
//! pattern; both are recognised instead of listed.
//!
//! `frequent.txt` is such a list: some eleven thousand entries of at least the minimum length, by
//! frequency. ASVS 6.2.4 requires the first three thousand.
//!
//! Facts about the user are guessed before any list: their address, their name, the name of the
//! service. [`is_personal`] finds passwords made only of these.

use std::collections::HashSet;
use std::sync::LazyLock;

static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("common.txt")
        .lines()
        .chain(include_str!("frequent.txt").lines())
        .filter(|line| !line.starts_with('#'))
        .collect()
});

/// Maximum length of a suffix that is ignored: `2024!`, `12345`.
const MAX_SUFFIX: usize = 5;
/// Maximum length of a repetition or sequence that counts as a pattern. Longer ones are not worth
/// guessing.
const MAX_PATTERN: usize = 16;

/// True for a listed word, also in capitals, with letters replaced (`p@ssw0rd`), doubled, or with
/// up to five digits or symbols at its end; and for repetitions and sequences such as `abcabcabc`,
/// `12345678`, `hgfedcba`.
pub(super) fn is_common(password: &str) -> bool {
    let lower = password.to_lowercase();
    if WORDS.contains(&*lower) {
        return true;
    }
    let mut chars: Vec<char> = lower.chars().collect();
    let patterns = chars.len() <= MAX_PATTERN;
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
        .take(MAX_SUFFIX)
        .count();
    // Every possible cut, because a word may end in a digit itself: `trustno1`, `trustno12`.
    (0..=tail).any(|cut| {
        let stem: String = chars[..chars.len() - cut].iter().collect();
        WORDS.contains(&*stem) || WORDS.contains(&*plain(&stem))
    })
}

/// Minimum length of a personal word: shorter ones occur in every text.
const MIN_WORD: usize = 4;

/// True if a password without these words and their parts is only a suffix or a listed word:
/// `ada.lovelace@example.com` makes `AdaLovelace1815!` personal, and not `ada walks to the lake`.
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
        .filter(|part| part.chars().count() >= MIN_WORD)
        .collect();
    // The longest first, so that a word goes before its parts.
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
            .take(MAX_SUFFIX);
        // A few letters may be a name that is too short to be searched for.
        rest.chars().count() - tail.count() < MIN_WORD || is_common(&rest)
    })
}

/// Reverts the usual replacements.
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

/// True if each character is the successor of the one before, or the predecessor, or the same.
fn is_run(chars: &[char]) -> bool {
    let steps: HashSet<i64> = chars
        .windows(2)
        .map(|pair| i64::from(u32::from(pair[1])) - i64::from(u32::from(pair[0])))
        .collect();
    steps.len() == 1 && steps.iter().all(|step| step.abs() <= 1)
}

/// Returns the length of the shortest text that this is a repetition of.
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
