//! Recognizes the kind of a file while its bytes arrive.

use doyen_core::Refusal;
use doyen_core::problem::Plain;

use crate::kind::{self, Declared, FileKind, HEAD_BYTES};
use crate::problems::{TYPE_MISMATCH, TYPE_NOT_ALLOWED};

/// The kind of a file that arrives: what the client declares, checked against the content.
pub(crate) struct Recognizer {
    kinds: &'static [FileKind],
    declared: Declared,
    /// The name as the client gave it.
    pub(crate) given_name: String,
    kind: Option<FileKind>,
    /// The first bytes, until the kind is known.
    head: Vec<u8>,
}

impl Recognizer {
    /// Refuses a media type that is not accepted.
    pub(crate) fn new(
        kinds: &'static [FileKind],
        given_name: String,
        media_type: Option<&str>,
    ) -> Result<Self, Refusal> {
        let declared = kind::declared(kinds, media_type).ok_or_else(|| not_allowed(kinds))?;
        Ok(Self {
            kinds,
            declared,
            given_name,
            kind: None,
            head: Vec::new(),
        })
    }

    /// Checks the next bytes.
    pub(crate) fn see(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        if self.kind.is_none() {
            let missing = HEAD_BYTES - self.head.len();
            self.head
                .extend_from_slice(&bytes[..missing.min(bytes.len())]);
            if self.head.len() == HEAD_BYTES {
                self.decide()?;
            }
        }
        match self.kind {
            Some(kind) => contains(kind, bytes),
            None => Ok(()),
        }
    }

    /// Returns the kind of the complete file.
    pub(crate) fn finish(&mut self) -> Result<FileKind, Refusal> {
        match self.kind {
            Some(kind) => Ok(kind),
            None => self.decide(),
        }
    }

    /// The first bytes.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Decides the kind by the first bytes.
    fn decide(&mut self) -> Result<FileKind, Refusal> {
        let kind = match self.declared {
            Declared::Kind(kind) if kind.fits(&self.head) => kind,
            Declared::Kind(_) => return Err(mismatch()),
            Declared::Unknown => kind::detect(self.kinds, &self.head, &self.given_name)
                .ok_or_else(|| not_allowed(self.kinds))?,
        };
        contains(kind, &self.head)?;
        self.kind = Some(kind);
        Ok(kind)
    }
}

fn contains(kind: FileKind, bytes: &[u8]) -> Result<(), Refusal> {
    match kind.can_contain(bytes) {
        true => Ok(()),
        false => Err(mismatch()),
    }
}

fn mismatch() -> Refusal {
    Plain::new(&TYPE_MISMATCH).into()
}

fn not_allowed(kinds: &[FileKind]) -> Refusal {
    let names: Vec<&str> = kinds.iter().map(FileKind::media_type).collect();
    let names = names.join("`, `");
    Plain::new(&TYPE_NOT_ALLOWED)
        .detail(format!("accepted are `{names}`"))
        .into()
}
