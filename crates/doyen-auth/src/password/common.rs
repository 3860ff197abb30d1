//! Passwords that are tried first.
//!
//! `common.txt` is our own compilation of words that lists of leaked passwords agree on. Most of what such lists hold is one of these words
//! with a few digits or signs behind it, or a pattern on the keyboard; both are recognised instead of listed.

use std::collections::HashSet;
use std::sync::LazyLock;

static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("common.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect()
});

/// The longest tail that is looked behind: `2024!`, `12345`.
const TAIL: usize = 5;
/// Up to this length a repetition or a run is a pattern that guessers try. Longer ones are not worth their time.
const PATTERN: usize = 16;

/// True for a listed word, also in capitals, with letters replaced (`p@ssw0rd`), said twice, or with up to five digits or signs at its
/// end; and for repetitions and runs such as `abcabcabc`, `12345678`, `hgfedcba`.
pub(super) fn is_common(password: &str) -> bool {
    let mut chars: Vec<char> = password.to_lowercase().chars().collect();
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
