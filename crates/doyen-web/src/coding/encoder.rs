//! Encoders. Each compresses one body, at once or as it is produced.
//!
//! The levels are for responses that are compressed once and sent once: see the guide for what they
//! cost.

use std::io::{self, Write as _};
use std::mem;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Coding;

/// Bytes that are compressed in one step, so that no step takes long.
pub(crate) const STEP_BYTES: usize = 64 << 10;

/// Binary logarithm of the distance in which Zstandard and Brotli look for repetitions. It bounds
/// the memory of an encoder.
#[cfg(any(feature = "zstd", feature = "brotli"))]
const WINDOW_LOG: u32 = 18;

#[cfg(feature = "zstd")]
const ZSTD_LEVEL: i32 = 3;

#[cfg(feature = "brotli")]
const BROTLI_QUALITY: u32 = 4;

/// The output buffer of the Brotli encoder.
#[cfg(feature = "brotli")]
const BROTLI_BUFFER_BYTES: usize = 4 << 10;

/// Compresses one body.
pub(crate) enum Encoder {
    #[cfg(feature = "zstd")]
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
    // Most of its state is inline.
    #[cfg(feature = "brotli")]
    Brotli(Box<brotli::CompressorWriter<Vec<u8>>>),
    /// The fastest level shrinks a JSON list by four fifths. The default level shrinks it by seven
    /// eighths and takes up to eight times as long.
    Gzip(GzEncoder<Vec<u8>>),
}

impl Encoder {
    /// Creates the encoder of a body, whose length is known or not.
    pub(crate) fn new(coding: Coding, length: Option<usize>) -> io::Result<Self> {
        let output = Vec::with_capacity(length.unwrap_or_default() / 4);
        match coding {
            #[cfg(feature = "zstd")]
            Coding::Zstd => {
                let mut encoder = zstd::stream::write::Encoder::new(output, ZSTD_LEVEL)?;
                encoder.window_log(WINDOW_LOG)?;
                encoder.set_pledged_src_size(length.map(|length| length as u64))?;
                Ok(Self::Zstd(encoder))
            }
            #[cfg(feature = "brotli")]
            Coding::Brotli => Ok(Self::Brotli(Box::new(brotli::CompressorWriter::new(
                output,
                BROTLI_BUFFER_BYTES,
                BROTLI_QUALITY,
                WINDOW_LOG,
            )))),
            Coding::Gzip => Ok(Self::Gzip(GzEncoder::new(output, Compression::fast()))),
        }
    }

    /// Takes the next bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.write_all(bytes),
            #[cfg(feature = "brotli")]
            Self::Brotli(encoder) => encoder.write_all(bytes),
            Self::Gzip(encoder) => encoder.write_all(bytes),
        }
    }

    /// Lets a decoder read all bytes so far. It costs a few bytes.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        match self {
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.flush(),
            #[cfg(feature = "brotli")]
            Self::Brotli(encoder) => encoder.flush(),
            Self::Gzip(encoder) => encoder.flush(),
        }
    }

    /// Returns what is compressed since the last call.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        mem::take(match self {
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.get_mut(),
            #[cfg(feature = "brotli")]
            Self::Brotli(encoder) => encoder.get_mut(),
            Self::Gzip(encoder) => encoder.get_mut(),
        })
    }

    /// Returns the rest.
    pub(crate) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            #[cfg(feature = "zstd")]
            Self::Zstd(encoder) => encoder.finish(),
            #[cfg(feature = "brotli")]
            Self::Brotli(encoder) => Ok(encoder.into_inner()),
            Self::Gzip(encoder) => encoder.finish(),
        }
    }
}

/// Compresses a complete body.
pub(crate) fn encode(coding: Coding, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = Encoder::new(coding, Some(bytes.len()))?;
    // The Brotli encoder allocates more for a long first step.
    for step in bytes.chunks(STEP_BYTES) {
        encoder.write(step)?;
    }
    encoder.finish()
}
