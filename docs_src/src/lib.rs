//! One runnable idea per file.
