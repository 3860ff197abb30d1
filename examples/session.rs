//! Replays the session with curl in the README of an example.
//!
//! Commands of a block `console` begin with `$ `; the lines below are their output. Ids and times
//! may differ, but not those that the session has named before: an id in a command is replaced by
//! that of the replay.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use doyen_test::Program;

/// Starts the program and runs the commands.
pub(crate) fn replay(path: &str, environment: &[(&str, &str)]) {
    let mut program = Program::new(path)
        .env("APP_ENV", "dev")
        .env("APP_SERVER__BIND", "127.0.0.1:0")
        .env("APP_ADMIN__ENABLED", "false");
    for (name, value) in environment {
        program = program.env(name, value);
    }
    let home = program.folder().to_path_buf();
    let server = program.start();
    let address = server.address().to_string();
    let readme = std::fs::read_to_string("README.md").unwrap();
    let block = readme.split("```console\n").nth(1).unwrap();
    let block = block.split("```").next().unwrap();
    // The session calls the program by its name.
    let folder = Path::new(path).parent().unwrap().display();
    let search = format!("{folder}:{}", std::env::var("PATH").unwrap());
    // Ids of the README, and those of this replay.
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let steps = block.split("$ ").skip(1);
    for step in steps {
        let (command, expected) = step.split_once('\n').unwrap();
        let mut command = command.replace("127.0.0.1:8000", &address);
        for (known, actual) in &ids {
            command = command.replace(known, actual);
        }
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &command])
            .env("PATH", &search)
            .current_dir(&home);
        shell.envs(environment.iter().copied());
        let output = shell.output().unwrap();
        let output = String::from_utf8(output.stdout).unwrap();
        let (expected, actual) = (words(expected), words(&output));
        assert_eq!(expected.len(), actual.len(), "{command}\n{output}");
        for (expected, actual) in expected.iter().zip(&actual) {
            if is_id(expected) && is_id(actual) {
                let known = ids
                    .entry(expected.clone())
                    .or_insert_with(|| actual.clone());
                assert_eq!(known, actual, "{command}\n{output}");
            } else if !(is_time(expected) && is_time(actual)) {
                assert_eq!(expected, actual, "{command}\n{output}");
            }
        }
    }
    assert!(!ids.is_empty(), "no command created anything");
}

/// Splits a text at everything that no id and no time contains.
fn words(text: &str) -> Vec<String> {
    text.trim()
        .split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | ':' | '.'))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Three letters, `_`, and at least 26 letters and digits: `tsk_01kbbkpxvqe29rv3nmrkdz2j2c`.
fn is_id(word: &str) -> bool {
    word.split_once('_')
        .is_some_and(|(kind, rest)| kind.len() == 3 && rest.len() >= 26)
}

/// `2026-12-24T18:00:00Z`.
fn is_time(word: &str) -> bool {
    word.len() >= 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T'
}
