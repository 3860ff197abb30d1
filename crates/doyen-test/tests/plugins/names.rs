//! The application crate knows no plugin by name.

use std::path::Path;

#[test]
fn the_application_crate_names_no_plugin() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../doyen-app/src");
    let mut files = vec![source];
    let mut read = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap();
            files.extend(entries.map(|entry| entry.unwrap().path()));
            continue;
        }
        read += 1;
        let text = std::fs::read_to_string(&path).unwrap();
        for name in [
            "doyen_accounts",
            "doyen_cache",
            "doyen_limit",
            "doyen_mail",
            "doyen_console",
            "doyen_telemetry",
            "\"mail\"",
            "\"limits\"",
            "\"docs\"",
            "\"admin\"",
            "\"log\"",
            "\"keys\"",
        ] {
            assert!(!text.contains(name), "{} names {name}", path.display());
        }
    }
    assert!(read > 20, "{read} files");
}
