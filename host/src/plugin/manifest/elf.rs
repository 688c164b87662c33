//! The manifest's note in an ELF file, found with a few bounded reads at known offsets.
//!
//! The first read holds the headers and, in most drivers, the note too: linkers put notes right behind the headers.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use driver_abi::{MANIFEST_MAX_BYTES, NOTE_OWNER, NOTE_TYPE};
use object::NativeEndian;
use object::elf::{self, Dyn64, FileHeader64, ProgramHeader64};
use object::pod;
use object::read::elf::{Dyn, FileHeader, NoteIterator, ProgramHeader};

use super::ManifestError;

type Header = FileHeader64<NativeEndian>;
type Segment = ProgramHeader64<NativeEndian>;
type Dynamic = Dyn64<NativeEndian>;

const NATIVE: NativeEndian = NativeEndian;

/// What the first read covers.
const HEAD_BYTES: usize = 8 * 1024;
/// A linker makes about ten segments.
const MAX_SEGMENTS: u16 = 512;
/// A segment of notes holds the manifest and a few small notes of the tools.
const MAX_NOTE_BYTES: u64 = 2 * MANIFEST_MAX_BYTES as u64;
/// A linker writes about thirty entries of 16 bytes.
const MAX_DYNAMIC_BYTES: u64 = 64 * 1024;

#[cfg(not(target_pointer_width = "64"))]
compile_error!("the host is built for 64-bit machines");

const HOST: elf::Machine = if cfg!(target_arch = "x86_64") {
    elf::EM_X86_64
} else if cfg!(target_arch = "aarch64") {
    elf::EM_AARCH64
} else if cfg!(target_arch = "riscv64") {
    elf::EM_RISCV
} else if cfg!(target_arch = "powerpc64") {
    elf::EM_PPC64
} else if cfg!(target_arch = "s390x") {
    elf::EM_S390
} else {
    panic!("name this processor's ELF machine here")
};

/// The processor that this host was built for, for people.
pub(super) const HOST_MACHINE: &str = std::env::consts::ARCH;

/// The bytes of the manifest of a file of `len` bytes, after all proofs.
pub(super) fn manifest_bytes(file: &File, len: u64) -> Result<Vec<u8>, ManifestError> {
    let source = Source::new(file, len)?;
    let header = source.header()?;
    // The table of sections is the last thing that a linker writes, so a copy that was cut short has lost it.
    if let Some(end) = end_of_sections(header)
        && end > len
    {
        return Err(ManifestError::Truncated {
            expected: end,
            found: len,
        });
    }
    let segments = source.bytes(
        header.e_phoff(NATIVE),
        u64::from(header.e_phnum(NATIVE)) * size_of::<Segment>() as u64,
    )?;
    let (segments, _) = pod::slice_from_bytes::<Segment>(&segments, usize::from(header.e_phnum(NATIVE)))
        .map_err(|()| broken("the program headers"))?;
    prove_library(&source, segments)?;

    let mut manifests = Vec::new();
    for segment in segments
        .iter()
        .filter(|segment| segment.p_type(NATIVE) == elf::PT_NOTE)
    {
        collect_manifests(&source, segment, &mut manifests)?;
    }
    // A tool may list one note in two segments.
    manifests.sort_unstable_by_key(|(offset, _)| *offset);
    manifests.dedup_by_key(|(offset, _)| *offset);
    match manifests.len() {
        0 => Err(ManifestError::NoManifest),
        1 => Ok(manifests.remove(0).1),
        found => Err(ManifestError::AmbiguousManifest { found }),
    }
}

/// A file of a known length, whose first bytes are at hand.
struct Source<'f> {
    file: &'f File,
    len: u64,
    /// The first read.
    head: [u8; HEAD_BYTES],
    /// How much of `head` there is.
    head_len: usize,
}

impl<'f> Source<'f> {
    fn new(file: &'f File, len: u64) -> Result<Self, ManifestError> {
        if len == 0 {
            return Err(ManifestError::Empty);
        }
        let mut source = Source {
            file,
            len,
            head: [0; HEAD_BYTES],
            head_len: usize::try_from(len).unwrap_or(usize::MAX).min(HEAD_BYTES),
        };
        read_at(file, 0, &mut source.head[..source.head_len])?;
        Ok(source)
    }

    fn head(&self) -> &[u8] {
        &self.head[..self.head_len]
    }

    /// The bytes at `offset`; from the first read, if it has them.
    fn bytes(&self, offset: u64, size: u64) -> Result<Cow<'_, [u8]>, ManifestError> {
        let end = offset
            .checked_add(size)
            .ok_or_else(|| broken("an offset beyond any file"))?;
        if end > self.len {
            return Err(ManifestError::Truncated {
                expected: end,
                found: self.len,
            });
        }
        let (Ok(from), Ok(to)) = (usize::try_from(offset), usize::try_from(end)) else {
            return Err(broken("an offset beyond any file"));
        };
        if let Some(bytes) = self.head().get(from..to) {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut bytes = vec![0; to - from];
        read_at(self.file, offset, &mut bytes)?;
        Ok(Cow::Owned(bytes))
    }

    /// The file's header, if it is that of a shared object for this machine.
    fn header(&self) -> Result<&Header, ManifestError> {
        let head = self.head();
        if !head.starts_with(&elf::ELFMAG) {
            return Err(ManifestError::NotElf);
        }
        // The identification says how to read the rest. It and the machine are at the same place in every class.
        let class = head.get(4).copied().unwrap_or(0);
        let order = head.get(5).copied().unwrap_or(0);
        if class == elf::ELFCLASS32.0 {
            return Err(ManifestError::WrongClass { found: "32-bit" });
        }
        let short = ManifestError::Truncated {
            expected: size_of::<Header>() as u64,
            found: self.len,
        };
        let (header, _) = pod::from_bytes::<Header>(head).map_err(|()| short)?;
        if class != elf::ELFCLASS64.0 {
            return Err(broken("the class"));
        }
        if order != NATIVE_ORDER {
            return Err(ManifestError::WrongMachine {
                found: format!("the other byte order ({order})"),
            });
        }
        if header.e_machine(NATIVE) != HOST {
            return Err(ManifestError::WrongMachine {
                found: machine_name(header.e_machine(NATIVE)),
            });
        }
        match header.e_type(NATIVE) {
            elf::ET_DYN => {}
            elf::ET_EXEC => return Err(ManifestError::NotALibrary { found: "a program" }),
            elf::ET_REL => {
                return Err(ManifestError::NotALibrary {
                    found: "an object file",
                });
            }
            elf::ET_CORE => return Err(ManifestError::NotALibrary { found: "a core dump" }),
            other => return Err(broken(format!("the file's type is {}", other.0))),
        }
        if usize::from(header.e_phentsize(NATIVE)) != size_of::<Segment>() {
            return Err(broken(format!(
                "a program header of {} bytes",
                header.e_phentsize(NATIVE)
            )));
        }
        if header.e_phnum(NATIVE) > MAX_SEGMENTS {
            return Err(broken(format!("{} segments", header.e_phnum(NATIVE))));
        }
        Ok(header)
    }
}

const NATIVE_ORDER: u8 = if cfg!(target_endian = "little") {
    elf::ELFDATA2LSB.0
} else {
    elf::ELFDATA2MSB.0
};

/// Where the table of sections ends, if the file has kept one.
fn end_of_sections(header: &Header) -> Option<u64> {
    let (offset, entry, count) = (
        header.e_shoff(NATIVE),
        header.e_shentsize(NATIVE),
        header.e_shnum(NATIVE),
    );
    (offset > 0).then(|| offset.saturating_add(u64::from(entry) * u64::from(count)))
}

/// Every segment that would be mapped lies inside the file (a read beyond its end would kill the process), and the
/// file is no program.
fn prove_library(source: &Source<'_>, segments: &[Segment]) -> Result<(), ManifestError> {
    let mut loads = 0;
    let mut dynamic = None;
    for segment in segments {
        let (offset, size) = segment.file_range(NATIVE);
        match segment.p_type(NATIVE) {
            elf::PT_LOAD => {
                loads += 1;
                let end = offset
                    .checked_add(size)
                    .ok_or_else(|| broken("a segment beyond any file"))?;
                if end > source.len {
                    return Err(ManifestError::Truncated {
                        expected: end,
                        found: source.len,
                    });
                }
            }
            elf::PT_INTERP => return Err(ManifestError::NotALibrary { found: "a program" }),
            elf::PT_DYNAMIC => dynamic = Some((offset, size)),
            _ => {}
        }
    }
    if loads == 0 {
        return Err(broken("nothing to load"));
    }
    let Some((offset, size)) = dynamic else {
        return Err(ManifestError::NotALibrary {
            found: "a file without a dynamic section",
        });
    };
    if size > MAX_DYNAMIC_BYTES {
        return Err(broken(format!("a dynamic section of {size} bytes")));
    }
    if is_program(&source.bytes(offset, size)?) {
        return Err(ManifestError::NotALibrary { found: "a program" });
    }
    Ok(())
}

/// Whether the dynamic section is that of a statically linked, position-independent program: it names no interpreter.
fn is_program(dynamic: &[u8]) -> bool {
    let count = dynamic.len() / size_of::<Dynamic>();
    let Ok((entries, _)) = pod::slice_from_bytes::<Dynamic>(dynamic, count) else {
        return false;
    };
    entries
        .iter()
        .take_while(|entry| entry.tag(NATIVE) != elf::DT_NULL)
        .any(|entry| entry.tag(NATIVE) == elf::DT_FLAGS_1 && entry.val(NATIVE) & PIE != 0)
}

/// The flag `DF_1_PIE` of the entry `DT_FLAGS_1`.
const PIE: u64 = 0x0800_0000;

/// Adds the manifests of one segment of notes, each with its place in the file.
fn collect_manifests(
    source: &Source<'_>,
    segment: &Segment,
    manifests: &mut Vec<(u64, Vec<u8>)>,
) -> Result<(), ManifestError> {
    let (offset, size) = segment.file_range(NATIVE);
    if size > MAX_NOTE_BYTES {
        return Err(ManifestError::ManifestTooLarge { found: size });
    }
    let bytes = source.bytes(offset, size)?;
    let damaged = |error: object::Error| broken(format!("a note: {error}"));
    let mut notes = NoteIterator::<Header>::new(NATIVE, segment.p_align(NATIVE), &bytes).map_err(damaged)?;
    while let Some(note) = notes.next().map_err(damaged)? {
        if note.name_bytes() != NOTE_OWNER || note.n_type(NATIVE).0 != NOTE_TYPE {
            continue;
        }
        let manifest = note.desc();
        if manifest.len() > MANIFEST_MAX_BYTES {
            return Err(ManifestError::ManifestTooLarge {
                found: manifest.len() as u64,
            });
        }
        let at = manifest.as_ptr().addr() - bytes.as_ptr().addr();
        manifests.push((offset + at as u64, manifest.to_vec()));
    }
    Ok(())
}

fn read_at(file: &File, offset: u64, bytes: &mut [u8]) -> Result<(), ManifestError> {
    match file.read_exact_at(bytes, offset) {
        Ok(()) => Ok(()),
        // The file became shorter since its length was asked for.
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let found = file.metadata().map_or(0, |metadata| metadata.len());
            Err(ManifestError::Truncated {
                expected: offset + bytes.len() as u64,
                found,
            })
        }
        Err(error) => Err(ManifestError::Unreadable(error)),
    }
}

fn machine_name(machine: elf::Machine) -> String {
    let name = match machine {
        elf::EM_386 => "x86",
        elf::EM_X86_64 => "x86_64",
        elf::EM_ARM => "arm",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_RISCV => "riscv64",
        elf::EM_PPC64 => "powerpc64",
        elf::EM_S390 => "s390x",
        elf::EM_LOONGARCH => "loongarch64",
        elf::EM_MIPS => "mips",
        other => return format!("ELF machine {}", other.0),
    };
    name.to_owned()
}

fn broken(what: impl Into<String>) -> ManifestError {
    ManifestError::BrokenElf { what: what.into() }
}
