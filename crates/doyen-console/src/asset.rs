//! The embedded files and what a server needs to send them.
//!
//! The list below is the only one: the page preloads what it names, and a
//! test compares it with the folder, so a new file cannot be forgotten.

use std::sync::LazyLock;

/// Where the pages look for their files. They are served at
/// `ASSETS_PATH/<path>`, without a trailing slash here.
pub const ASSETS_PATH: &str = "/docs/assets";

/// One embedded file.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The name under [`ASSETS_PATH`], for example `docs.js`.
    pub path: &'static str,
    /// The value for the `Content-Type` header.
    pub media_type: &'static str,
    /// The content.
    pub body: &'static [u8],
    /// A strong entity tag, quotes included. It changes with the content.
    pub etag: String,
}

/// All files of the documentation page and the problem pages.
pub fn docs_assets() -> &'static [Asset] {
    static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| FILES.iter().map(describe).collect());
    &ASSETS
}

/// The files of Swagger UI; none without the Cargo feature `swagger-ui`.
pub(crate) fn swagger_assets() -> &'static [Asset] {
    static ASSETS: LazyLock<Vec<Asset>> =
        LazyLock::new(|| SWAGGER_FILES.iter().map(describe).collect());
    &ASSETS
}

type File = (&'static str, &'static [u8]);

#[cfg(feature = "swagger-ui")]
const SWAGGER_FILES: &[File] = doyen_swagger_ui::FILES;
#[cfg(not(feature = "swagger-ui"))]
const SWAGGER_FILES: &[File] = &[];

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        &[$(($path, include_bytes!(concat!("../assets/", $path)).as_slice())),*]
    };
}

const FILES: &[File] = files![
    "icon.svg",
    "base.css",
    "docs.css",
    "try.css",
    "problem.css",
    "auth-bar.js",
    "auth.js",
    "docs.js",
    "dom.js",
    "event-stream.js",
    "example.js",
    "json-text.js",
    "json-view.js",
    "links.js",
    "load.js",
    "login.js",
    "markdown.js",
    "memory.js",
    "menu.js",
    "message-log.js",
    "operation-page.js",
    "overview-page.js",
    "parts.js",
    "problems.js",
    "request.js",
    "responses.js",
    "router.js",
    "schema-page.js",
    "schema-tree.js",
    "schema.js",
    "security.js",
    "sidebar.js",
    "socket-page.js",
    "socket-panel.js",
    "sockets.js",
    "spec.js",
    "try-answer.js",
    "try-body.js",
    "try-fields.js",
    "try-it.js",
];

fn describe(&(path, body): &File) -> Asset {
    Asset {
        path,
        media_type: media_type(path),
        body,
        etag: format!("\"{:016x}\"", fnv1a(body)),
    }
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        Some((_, "txt")) => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// FNV-1a with 64 bits. The tag only has to distinguish two builds. A collision gives an attacker
/// nothing, so no cryptographic hash is needed.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn text(asset: &Asset) -> &'static str {
        std::str::from_utf8(asset.body).expect("assets are text")
    }

    #[test]
    fn the_list_names_every_file_in_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");
        let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
            .expect("the folder exists")
            .map(|entry| entry.expect("a readable entry").file_name())
            .map(|name| name.into_string().expect("a plain name"))
            .filter(|name| name != "package.json")
            .collect();
        let listed: BTreeSet<String> = docs_assets().iter().map(|a| a.path.to_owned()).collect();
        assert_eq!(on_disk, listed);
    }

    #[test]
    fn tags_are_strong_quoted_and_differ() {
        let tags: BTreeSet<&str> = docs_assets().iter().map(|a| a.etag.as_str()).collect();
        assert_eq!(tags.len(), docs_assets().len());
        for tag in tags {
            assert_eq!(tag.len(), 18, "{tag}");
            assert!(tag.starts_with('"') && tag.ends_with('"'), "{tag}");
        }
    }

    #[test]
    fn the_hash_is_fnv1a() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn every_media_type_is_known() {
        for asset in docs_assets() {
            assert_ne!(
                asset.media_type, "application/octet-stream",
                "{}",
                asset.path
            );
        }
    }

    #[test]
    fn every_import_names_an_asset() {
        let names: BTreeSet<&str> = docs_assets().iter().map(|a| a.path).collect();
        for asset in docs_assets().iter().filter(|a| a.path.ends_with(".js")) {
            for line in text(asset).lines().filter(|line| line.contains(" from ")) {
                let Some((_, rest)) = line.split_once(" from \"") else {
                    continue;
                };
                let target = rest.split('"').next().unwrap_or_default();
                let name = target.strip_prefix("./").unwrap_or(target);
                assert!(names.contains(name), "{} imports {target}", asset.path);
            }
        }
    }

    #[test]
    fn no_asset_names_an_outside_host() {
        for asset in docs_assets() {
            for line in text(asset).lines() {
                // A namespace and an example value are names, not addresses to fetch.
                let line = line
                    .replace("http://www.w3.org/2000/svg", "")
                    .replace("https://example.com/", "");
                let names_host = ["http://", "https://", "url(//", "\"//"]
                    .iter()
                    .any(|mark| line.contains(mark));
                assert!(!names_host, "{}: {line}", asset.path);
            }
        }
    }

    #[test]
    fn no_script_turns_text_into_markup_or_code() {
        let forbidden = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "setAttribute(\"style\"",
        ];
        for asset in docs_assets().iter().filter(|a| a.path.ends_with(".js")) {
            for word in forbidden {
                assert!(!text(asset).contains(word), "{} uses {word}", asset.path);
            }
        }
    }
}
