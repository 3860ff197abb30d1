//! The migrations of the helpdesk and of its plugins.

use doyen_test::Program;

#[test]
fn all_migrations_are_safe_or_carry_a_reason() {
    let ended = Program::new(env!("CARGO_BIN_EXE_helpdesk"))
        .arg("migrate")
        .arg("lint")
        .run();
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    let last = ended.stdout.trim_end().lines().last().unwrap();
    assert!(last.ends_with(", 0 findings"), "{last}");
    // Not an empty run: those of the helpdesk alone are ten for each database.
    assert!(!last.starts_with("0 "), "{last}");
    assert!(!last.contains(" 0 for PostgreSQL"), "{last}");
}
