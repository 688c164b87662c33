//! The manifest travels as an ELF note: the only thing in a file that survives every strip, LTO and linker,
//! and that can be read without loading the file.

/// The section that holds the note.
pub const NOTE_SECTION: &str = ".note.bmdriver";
/// The note's owner, with its terminating NUL, as it stands in the file.
pub const NOTE_OWNER: [u8; 8] = *b"BMDRIVE\0";
/// The note's type.
pub const NOTE_TYPE: u32 = 1;
/// The largest manifest, in bytes of JSON.
pub const MANIFEST_MAX_BYTES: usize = 256 * 1024;
/// The version of the manifest's format, as it stands in the manifest's `manifest` key.
pub const MANIFEST_FORMAT: u32 = 1;

/// One ELF note with a descriptor of `N` bytes: the manifest, padded with NULs to a multiple of four.
#[derive(Debug)]
#[repr(C, align(4))]
pub struct Note<const N: usize> {
    owner_size: u32,
    descriptor_size: u32,
    kind: u32,
    owner: [u8; 8],
    descriptor: [u8; N],
}

/// `len` rounded up to the alignment of a note.
pub const fn padded(len: usize) -> usize {
    (len + 3) / 4 * 4
}

impl<const N: usize> Note<N> {
    /// Wraps a manifest.
    ///
    /// # Panics
    /// At compile time, when `N` is not [`padded`]`(manifest.len())` or the manifest is larger than
    /// [`MANIFEST_MAX_BYTES`].
    #[allow(
        clippy::cast_possible_truncation,
        reason = "bounded by MANIFEST_MAX_BYTES just above; try_from is not const"
    )]
    pub const fn new(manifest: &str) -> Self {
        assert!(
            manifest.len() <= MANIFEST_MAX_BYTES,
            "the driver's manifest is larger than 256 KiB"
        );
        assert!(
            N == padded(manifest.len()),
            "a note's descriptor is the manifest, padded to four bytes"
        );
        let bytes = manifest.as_bytes();
        let mut descriptor = [0; N];
        let mut at = 0;
        while at < bytes.len() {
            descriptor[at] = bytes[at];
            at += 1;
        }
        Note {
            owner_size: NOTE_OWNER.len() as u32,
            descriptor_size: bytes.len() as u32,
            kind: NOTE_TYPE,
            owner: NOTE_OWNER,
            descriptor,
        }
    }
}
