//! Files to write. They are compared first, and nothing is written if one of them is in conflict.

use std::path::{Path, PathBuf};

use similar::TextDiff;

use crate::failure::{Failure, Result, say};

/// Changes of files below a folder.
#[derive(Debug)]
pub(crate) struct Changes {
    root: PathBuf,
    files: Vec<Change>,
    /// What the user has to do by hand, with the text to add.
    by_hand: Vec<String>,
}

#[derive(Debug)]
struct Change {
    path: PathBuf,
    before: Option<String>,
    after: String,
    /// True if the text before was taken into account: an edit never conflicts.
    is_edit: bool,
}

impl Changes {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            files: Vec::new(),
            by_hand: Vec::new(),
        }
    }

    /// Adds a whole file. One that exists with another text is a conflict.
    pub(crate) fn create(&mut self, path: impl AsRef<Path>, text: String) -> Result {
        let before = self.read(path.as_ref())?;
        self.files.push(Change {
            path: path.as_ref().to_path_buf(),
            before,
            after: text,
            is_edit: false,
        });
        Ok(())
    }

    /// Changes a file that exists. Several edits of one file follow each other. `None` as a result
    /// of the edit means that it does not find its place; `text` is then left to the user.
    pub(crate) fn edit(
        &mut self,
        path: impl AsRef<Path>,
        text: &str,
        edit: impl FnOnce(&str) -> Option<String>,
    ) -> Result {
        let path = path.as_ref();
        let known = self.files.iter().position(|change| change.path == path);
        let before = match known {
            Some(at) => Some(self.files[at].after.clone()),
            None => self.read(path)?,
        };
        let edited = before.as_deref().and_then(edit);
        let (Some(before), Some(after)) = (before, edited) else {
            self.by_hand(path, text);
            return Ok(());
        };
        match known {
            Some(at) => self.files[at].after = after,
            None => self.files.push(Change {
                path: path.to_path_buf(),
                before: Some(before),
                after,
                is_edit: true,
            }),
        }
        Ok(())
    }

    /// Leaves an edit to the user.
    pub(crate) fn by_hand(&mut self, path: &Path, text: &str) {
        let text = text.trim_end().replace('\n', "\n    ");
        self.by_hand
            .push(format!("{}: add\n\n    {text}\n", path.display()));
    }

    fn read(&self, path: &Path) -> Result<Option<String>> {
        let whole = self.root.join(path);
        match std::fs::read_to_string(&whole) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::file("read", &whole, &error)),
        }
    }

    /// Writes the files and says what was done. With a conflict it writes nothing, unless
    /// `is_forced`.
    pub(crate) fn apply(&self, is_forced: bool) -> Result {
        let conflicts: Vec<&Change> = self.files.iter().filter(|file| file.conflicts()).collect();
        if !conflicts.is_empty() && !is_forced {
            for conflict in &conflicts {
                say(&conflict.diff());
            }
            let count = conflicts.len();
            return Err(Failure::new(format!(
                "{count} {} with other contents, shown above; nothing was written",
                if count == 1 {
                    "file exists"
                } else {
                    "files exist"
                }
            ))
            .help("`-` is the file as it is, `+` what would be written; `--force` overwrites it"));
        }
        for file in &self.files {
            let verb = file.verb();
            say(&format!("{verb:>9} {}", file.path.display()));
            if verb != "unchanged" {
                self.write(file)?;
            }
        }
        Ok(())
    }

    /// Fails if something is left to the user.
    pub(crate) fn report_rest(&self) -> Result {
        if self.by_hand.is_empty() {
            return Ok(());
        }
        say("\nLeft to you, because the place was not found:\n");
        for text in &self.by_hand {
            say(&format!("  {text}"));
        }
        let count = self.by_hand.len();
        Err(Failure::new(format!(
            "{count} {} left to you, shown above; everything else was written",
            if count == 1 { "edit is" } else { "edits are" }
        )))
    }

    fn write(&self, file: &Change) -> Result {
        let path = self.root.join(&file.path);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| Failure::file("create", folder, &error))?;
        }
        std::fs::write(&path, &file.after).map_err(|error| Failure::file("write", &path, &error))
    }
}

impl Change {
    fn conflicts(&self) -> bool {
        !self.is_edit
            && self
                .before
                .as_ref()
                .is_some_and(|before| *before != self.after)
    }

    fn verb(&self) -> &'static str {
        match &self.before {
            None => "create",
            Some(before) if *before == self.after => "unchanged",
            Some(_) if self.is_edit => "edit",
            Some(_) => "overwrite",
        }
    }

    fn diff(&self) -> String {
        let before = self.before.as_deref().unwrap_or_default();
        let name = self.path.display().to_string();
        TextDiff::from_lines(before, &self.after)
            .unified_diff()
            .header(&name, &format!("{name} (generated)"))
            .to_string()
    }
}
