//! Notices changes of the files that a build reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Pause between two looks.
const INTERVAL: Duration = Duration::from_millis(200);

/// Extensions of the files that change an application.
const EXTENSIONS: [&str; 8] = ["rs", "toml", "sql", "html", "jinja", "j2", "css", "js"];

/// Folders that are written by programs.
const SKIPPED: [&str; 3] = ["target", "node_modules", "data"];

/// The files of an application, with the time of their last change.
///
/// They are the files in the folder of the package, and those that cargo lists next to the program:
/// the other packages of the workspace that it is built from.
pub(super) struct Sources {
    root: PathBuf,
    times: BTreeMap<PathBuf, Option<SystemTime>>,
}

impl Sources {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            times: BTreeMap::new(),
        }
    }

    /// Notes the state before a build of this program.
    pub(super) fn note(&mut self, program: Option<&Path>) {
        self.times = self.look(program);
    }

    /// Waits until a file differs from its noted state, and no file changes any more. Returns when
    /// the first difference was noticed.
    pub(super) async fn changed(&self, program: Option<&Path>) -> Instant {
        let mut noticed = None;
        let mut before = self.times.clone();
        loop {
            tokio::time::sleep(INTERVAL).await;
            let now = self.look(program);
            let is_settled = now == before;
            before = now;
            if before != self.times {
                let noticed = *noticed.get_or_insert_with(Instant::now);
                if is_settled {
                    return noticed;
                }
            }
        }
    }

    fn look(&self, program: Option<&Path>) -> BTreeMap<PathBuf, Option<SystemTime>> {
        let mut files = Vec::new();
        collect(&self.root, &mut files);
        let listed =
            program.and_then(|program| std::fs::read_to_string(program.with_extension("d")).ok());
        files.extend(listed.iter().flat_map(|text| dependencies(text)));
        files
            .into_iter()
            .map(|file| {
                let time = std::fs::metadata(&file).and_then(|data| data.modified());
                (file, time.ok())
            })
            .collect()
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && !name.starts_with('.') && !SKIPPED.contains(&&*name) {
            collect(&path, files);
        }
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !is_folder && extension.is_some_and(|extension| EXTENSIONS.contains(&extension)) {
            files.push(path);
        }
    }
}

/// Reads the list of cargo: `program: file file`, with `\ ` for a space.
fn dependencies(text: &str) -> Vec<PathBuf> {
    let list = text.split_once(": ").map_or("", |(_, list)| list);
    let list = list.lines().next().unwrap_or_default();
    let unescaped = list.replace("\\ ", "\0");
    let files = unescaped.split_whitespace();
    files
        .map(|file| PathBuf::from(file.replace('\0', " ")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_cargo_is_read() {
        let text = "/t/debug/shop: /srv/a/src/lib.rs /srv/my\\ app/src/main.rs\n\nother: x\n";
        assert_eq!(
            dependencies(text),
            [
                PathBuf::from("/srv/a/src/lib.rs"),
                PathBuf::from("/srv/my app/src/main.rs")
            ]
        );
        assert!(dependencies("").is_empty());
    }
}
