//! `doyen generate migration`.

use crate::sandbox::Sandbox;

#[test]
fn a_migration_has_a_later_version_on_each_database() {
    let (sandbox, shop) = Sandbox::shop(&["--postgres"]);
    sandbox
        .doyen(
            "shop/src",
            &["generate", "migration", "notes_by_title", "--empty"],
        )
        .success();
    let mut versions = Vec::new();
    for database in ["sqlite", "postgres"] {
        let folder = shop.join("migrations").join(database);
        let names = std::fs::read_dir(folder).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        // Users, notes, and this one: up and down.
        assert_eq!(names.len(), 6, "{names:?}");
        assert!(names[4].ends_with("_notes_by_title.down.sql"), "{names:?}");
        assert!(names[5].ends_with("_notes_by_title.up.sql"), "{names:?}");
        versions.push(names[5].split('_').next().unwrap().to_owned());
    }
    assert_eq!(versions[0], versions[1]);
    let again = sandbox.doyen("shop", &["generate", "migration", "notes_by_title"]);
    again.failure(1, &["there is a migration", "choose another name"]);
}
