//! What an upload accepts.

use doyen_schema::Input;
use doyen_schema::input::Object;

use crate::kind::FileKind;

/// The policy of an [`Upload`](crate::Upload): what the route accepts. No limit has a default, so
/// that an upload without limits does not compile.
///
/// ```
/// use doyen_files::{FileKind, NoFields, UploadPolicy};
///
/// struct Portrait;
///
/// impl UploadPolicy for Portrait {
///     type Fields = NoFields;
///     const KINDS: &'static [FileKind] = &[FileKind::PNG, FileKind::JPEG];
///     const MAX_BYTES: u64 = 2 << 20;
///     const MAX_FILES: usize = 1;
/// }
/// # let _ = Portrait;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no policy of uploads",
    label = "nothing says which files the route accepts",
    note = "write `impl UploadPolicy for {Self}` with `Fields`, `KINDS`, `MAX_BYTES` and `MAX_FILES`"
)]
pub trait UploadPolicy: Send + Sync + 'static {
    /// The other fields of the form: a struct with `#[derive(Input)]`, or [`NoFields`].
    type Fields: Object;
    /// The accepted kinds of files.
    const KINDS: &'static [FileKind];
    /// Maximum size of one file in bytes. The setting `files.max_bytes` can only lower it.
    const MAX_BYTES: u64;
    /// Maximum number of files.
    const MAX_FILES: usize;
    /// Minimum number of files.
    const MIN_FILES: usize = 1;
    /// Name of the field that has the files.
    const PART: &'static str = "file";
    /// True if the body can also be JSON that names finished [resumable](fn@crate::resumable)
    /// uploads: `{"upload": "upl_…"}` with the other fields, or `{"uploads": [..]}` if the policy
    /// accepts several files.
    const RESUMABLE: bool = false;
}

/// A form without other fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Input)]
pub struct NoFields {}

/// The policy as values.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) kinds: &'static [FileKind],
    pub(crate) max_bytes: u64,
    pub(crate) max_files: usize,
    pub(crate) min_files: usize,
    pub(crate) part: &'static str,
}

impl Rules {
    pub(crate) const fn of<P: UploadPolicy>() -> Self {
        const {
            assert!(
                !P::KINDS.is_empty(),
                "an upload accepts at least one kind of file"
            );
            assert!(
                P::MAX_BYTES > 0,
                "`MAX_BYTES` is the size of the largest file"
            );
            assert!(
                P::MAX_FILES > 0 && P::MIN_FILES <= P::MAX_FILES,
                "`MAX_FILES` is at least 1 and at least `MIN_FILES`"
            );
        }
        Self {
            kinds: P::KINDS,
            max_bytes: P::MAX_BYTES,
            max_files: P::MAX_FILES,
            min_files: P::MIN_FILES,
            part: P::PART,
        }
    }
}
