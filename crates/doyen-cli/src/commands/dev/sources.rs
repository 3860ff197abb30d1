//! Notices changes of the files that a build reads.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// Pause between two looks.
const INTERVAL: Duration = Duration::from_millis(200);

/// Time without a further change, after which a build begins: editors save several files at once.
const SETTLE_TIME: Duration = Duration::from_millis(50);

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
    times: Times,
    noted: Instant,
}

type Times = BTreeMap<PathBuf, Option<SystemTime>>;

impl Sources {
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            times: Times::new(),
            noted: Instant::now(),
        }
    }

    /// Notes the state before a build. The program is that of the build before.
    pub(super) fn note(&mut self, program: Option<&Path>) {
        self.noted = Instant::now();
        self.times = self.look(program);
    }

    /// Takes the list of files from a build that began at this time. A file counts as changed if
    /// it is new in the list and was saved during the build, or if it was deleted meanwhile.
    pub(super) fn built(&mut self, program: &Path, began: SystemTime) {
        let mut noted = std::mem::take(&mut self.times);
        for (file, time) in self.look(Some(program)) {
            let known = noted.remove(&file);
            let time = known.unwrap_or_else(|| time.filter(|time| *time <= began));
            self.times.insert(file, time);
        }
        let deleted = noted.into_iter().filter(|(file, _)| !file.exists());
        self.times.extend(deleted);
    }

    /// Waits until a file differs from its noted state, and no file changes any more. Returns when
    /// the first of them was saved.
    pub(super) async fn changed(&self, program: Option<&Path>) -> Instant {
        let mut unchanged = self.noted;
        loop {
            tokio::time::sleep(INTERVAL).await;
            let looked = Instant::now();
            let mut files = self.look(program);
            if files == self.times {
                unchanged = looked;
                continue;
            }
            loop {
                tokio::time::sleep(SETTLE_TIME).await;
                let later = self.look(program);
                if later == files {
                    return self.saved(&files).map_or(unchanged, |at| at.max(unchanged));
                }
                files = later;
            }
        }
    }

    /// Returns when the first file was saved that differs from its noted state.
    fn saved(&self, files: &Times) -> Option<Instant> {
        let changed = files
            .iter()
            .filter(|(file, time)| self.times.get(*file) != Some(*time));
        let first = changed.filter_map(|(_, time)| *time).min()?;
        let age = SystemTime::now().duration_since(first).ok()?;
        Instant::now().checked_sub(age)
    }

    fn look(&self, program: Option<&Path>) -> Times {
        let mut files = Vec::new();
        collect(&self.root, &mut files);
        if let Some(program) = program {
            let list = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
            // What build scripts write is not a source.
            let written = program.parent().unwrap_or(program);
            let listed = dependencies(&list).into_iter();
            files.extend(listed.filter(|file| !file.starts_with(written)));
        }
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
    // The tag is in a target directory of any name.
    if folder.join("CACHEDIR.TAG").exists() {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        // Also the files that editors keep next to the edited one.
        if name.starts_with('.') {
            continue;
        }
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && !SKIPPED.contains(&&*name) {
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
