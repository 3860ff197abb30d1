use doyen::files::{FileKind, NoFields, UploadPolicy};

struct Portrait;

impl UploadPolicy for Portrait {
    type Fields = NoFields;
    const KINDS: &'static [FileKind] = &[FileKind::PNG];
}

fn main() {}
