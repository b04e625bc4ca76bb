//! Files as the gateway reads and makes them: what is read is a regular file of bounded size, and what is made is for its owner
//! only, whatever the umask says.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// What only its owner may read and write.
const FILE: u32 = 0o600;
/// A directory that only its owner may enter.
const DIRECTORY: u32 = 0o700;

/// Reads a whole regular file of at most `most` bytes. A device or pipe is an error before anything of it is read: it may never
/// end. Links are followed.
///
/// # Errors
/// What the system says, or that it is no regular file or too large.
pub fn read(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    // Looked at before it is opened, since opening a pipe waits for a writer, and again afterwards, since it may be another by then.
    regular(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    regular(&metadata)?;
    let limit = u64::try_from(most).unwrap_or(u64::MAX);
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len().min(limit)).unwrap_or_default());
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {most} bytes")));
    }
    Ok(bytes)
}

/// As [`read`], for text.
///
/// # Errors
/// As [`read`], or that it is not UTF-8.
pub fn read_text(path: &Path, most: usize) -> io::Result<String> {
    String::from_utf8(read(path, most)?).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

fn regular(metadata: &fs::Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = if metadata.is_dir() { "it is a directory" } else { "it is a device or pipe" };
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{what}, and a regular file is wanted")))
}

/// Who besides its owner may do what with a file, as `rwx` bits of everybody else.
///
/// # Errors
/// What the system says.
pub fn others(path: &Path) -> io::Result<u32> {
    let mode = fs::metadata(path)?.mode();
    Ok(((mode >> 3) | mode) & 0o7)
}

/// Makes a directory, and those above it, for their owner only. One that is there stays as it is: it may be anybody's.
///
/// # Errors
/// What the system says.
pub fn make_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(DIRECTORY).create(path)
}

/// As [`make_directory`], for a directory that is the gateway's alone: an open one is closed to others, and the log says so.
///
/// # Errors
/// What the system says.
pub fn own_directory(path: &Path) -> io::Result<()> {
    make_directory(path)?;
    tighten(path, DIRECTORY);
    Ok(())
}

/// Makes an empty file for its owner only, unless it is there; then it is closed to others, and the log says so.
///
/// # Errors
/// What the system says.
pub fn own_file(path: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).mode(FILE).open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            tighten(path, FILE);
            Ok(())
        }
        made => made.map(drop),
    }
}

/// Closes a file to others, if it is there. One that belongs to somebody else stays as it is, and the log says so.
pub fn close_to_others(path: &Path) {
    if path.is_file() {
        tighten(path, FILE);
    }
}

fn tighten(path: &Path, most: u32) {
    let Ok(metadata) = fs::metadata(path) else { return };
    let mode = metadata.mode() & 0o777;
    if mode & !most == 0 {
        return;
    }
    match fs::set_permissions(path, fs::Permissions::from_mode(mode & most)) {
        Ok(()) => {
            tracing::warn!(path = %path.display(), "others could read this (mode {mode:o}): now only its owner can");
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), "others may read this (mode {mode:o}), and that cannot be changed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_file_may_be_as_long_as_its_bound_and_no_longer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        fs::write(&path, b"12345").unwrap();
        assert_eq!(read(&path, 5).unwrap(), b"12345");
        assert_eq!(read(&path, 4).unwrap_err().to_string(), "it has more than 4 bytes");
        fs::write(&path, b"\xff").unwrap();
        assert_eq!(read_text(&path, 4).unwrap_err().to_string(), "it is not UTF-8 text");
        assert_eq!(read(&directory.path().join("none"), 4).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_never_ends_is_not_begun() {
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        assert!(read(&link, 10).unwrap_err().to_string().contains("a device or pipe"));
        assert!(read(directory.path(), 10).unwrap_err().to_string().contains("a directory"));
    }

    #[test]
    fn what_is_made_is_for_its_owner_and_what_was_open_is_closed() {
        let directory = tempfile::tempdir().unwrap();
        let (made, file) = (directory.path().join("a/b"), directory.path().join("a/b/file"));
        own_directory(&made).unwrap();
        own_file(&file).unwrap();
        assert_eq!((mode(&directory.path().join("a")), mode(&made), mode(&file)), (0o700, 0o700, 0o600));
        fs::write(&file, b"kept").unwrap();
        for path in [&made, &file] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        assert_eq!(others(&file).unwrap(), 0o5);
        make_directory(&made).unwrap();
        assert_eq!(mode(&made), 0o755, "a directory that is there may be anybody's");
        own_directory(&made).unwrap();
        own_file(&file).unwrap();
        assert_eq!((mode(&made), mode(&file), fs::read(&file).unwrap()), (0o700, 0o600, b"kept".to_vec()));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o440)).unwrap();
        close_to_others(&file);
        assert_eq!((mode(&file), others(&file).unwrap()), (0o400, 0), "nothing is opened");
        close_to_others(&directory.path().join("none"));
    }
}
