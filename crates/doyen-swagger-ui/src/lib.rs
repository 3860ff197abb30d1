//! The files of Swagger UI, embedded: of the npm package `swagger-ui-dist`, unchanged, with their
//! licence (Apache-2.0). `assets/README.md` has the version and the hashes.
//!
//! They are a crate of their own because they have 1.9 MB, which only applications with the Cargo
//! feature `swagger-ui` download and contain.

/// The version of Swagger UI.
pub const VERSION: &str = "5.35.0";

/// The files: name and content. `init.js` starts Swagger UI, and is part of Doyen.
pub const FILES: &[(&str, &[u8])] = &[
    ("swagger-ui.css", include_bytes!("../assets/swagger-ui.css")),
    (
        "swagger-ui-bundle.js",
        include_bytes!("../assets/swagger-ui-bundle.js"),
    ),
    (
        "swagger-ui-bundle.js.LICENSE.txt",
        include_bytes!("../assets/swagger-ui-bundle.js.LICENSE.txt"),
    ),
    ("init.js", include_bytes!("../assets/init.js")),
];

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};

    use super::*;

    const MANIFEST: &str = include_str!("../assets/README.md");

    #[test]
    fn the_files_are_those_of_the_package() {
        assert!(MANIFEST.starts_with(&format!("# Swagger UI {VERSION}\n")));
        for (name, content) in FILES {
            let hash = digest(&SHA256, content);
            let hash: String = hash
                .as_ref()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect();
            let line = format!("| `{name}` | `{hash}` |");
            let is_foreign = name.ends_with(".css") || name.ends_with("bundle.js");
            assert_eq!(MANIFEST.contains(&line), is_foreign, "{line}");
        }
    }
}
