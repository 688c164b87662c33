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
    len.div_ceil(4) * 4
}

impl<const N: usize> Note<N> {
    /// Wraps a manifest.
    ///
    /// # Panics
    /// At compile time, when `N` is not [`padded`]`(manifest.len())` or the manifest is larger than
    /// [`MANIFEST_MAX_BYTES`].
    // Bounded by MANIFEST_MAX_BYTES in the first line; `try_from` is not const.
    #[allow(clippy::cast_possible_truncation)]
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The bytes that the front page promises, as a reader of a file sees them.
    #[test]
    fn a_note_is_laid_out_as_elf_says() {
        const MANIFEST: &str = "{\"a\":1}";
        static NOTE: Note<{ padded(MANIFEST.len()) }> = Note::new(MANIFEST);
        assert_eq!(std::mem::align_of_val(&NOTE), 4);
        let place = |field: *const u8| field as usize - std::ptr::addr_of!(NOTE) as usize;
        assert_eq!(place(std::ptr::addr_of!(NOTE.owner_size).cast()), 0);
        assert_eq!(place(std::ptr::addr_of!(NOTE.descriptor_size).cast()), 4);
        assert_eq!(place(std::ptr::addr_of!(NOTE.kind).cast()), 8);
        assert_eq!(place(std::ptr::addr_of!(NOTE.owner).cast()), 12);
        assert_eq!(place(std::ptr::addr_of!(NOTE.descriptor).cast()), 20);
        assert_eq!(std::mem::size_of_val(&NOTE), 20 + 8);
        assert_eq!((NOTE.owner_size, NOTE.descriptor_size, NOTE.kind), (8, 7, 1));
        assert_eq!(&NOTE.owner, b"BMDRIVE\0");
        assert_eq!(&NOTE.descriptor, b"{\"a\":1}\0");
    }

    #[test]
    fn a_descriptor_is_padded_to_four_bytes() {
        assert_eq!([0, 1, 3, 4, 5].map(padded), [0, 4, 4, 4, 8]);
    }
}
