//! Compiled code on disk: taken when it is whole and ours, replaced when it is not.

use crate::support::{KEY, caching_host, component, decide, load};
use std::path::{Path, PathBuf};

/// The one file in the cache.
fn file(dir: &Path) -> PathBuf {
    let mut files: Vec<_> = std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    assert_eq!(files.len(), 1, "one plugin, one file, no leftovers: {files:?}");
    files.remove(0)
}

#[test]
fn what_comes_from_the_cache_decides_the_same() {
    let dir = tempfile::tempdir().expect("dir");
    let compiled = decide(&load(&caching_host(dir.path(), KEY), "honest-points"));
    let path = file(dir.path());
    let host = caching_host(dir.path(), KEY);
    assert!(path.file_name().and_then(|name| name.to_str()).expect("name").contains(&host.fingerprint()));
    // If the file was taken, it was not written again.
    let before = std::fs::metadata(&path).and_then(|meta| meta.modified()).expect("time");
    assert_eq!(decide(&load(&host, "honest-points")), compiled);
    assert_eq!(std::fs::metadata(&path).and_then(|meta| meta.modified()).expect("time"), before);
}

#[test]
fn what_is_damaged_is_compiled_again_and_replaced() {
    let dir = tempfile::tempdir().expect("dir");
    let verdict = decide(&load(&caching_host(dir.path(), KEY), "honest-points"));
    let path = file(dir.path());
    let good = std::fs::read(&path).expect("file");
    let flip = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let damaged = [
        vec![],
        good[..31].to_vec(),
        good[..32].to_vec(),
        good[..good.len() - 1].to_vec(),
        [good.as_slice(), b"x"].concat(),
        flip(0),
        flip(32),
        flip(good.len() / 2),
        flip(good.len() - 1),
    ];
    for bytes in damaged {
        std::fs::write(&path, &bytes).expect("write");
        assert_eq!(decide(&load(&caching_host(dir.path(), KEY), "honest-points")), verdict);
        // Compiling is not promised to give the same bytes, but what is there now must be whole: it is taken as it is.
        let healed = std::fs::read(file(dir.path())).expect("file");
        assert_ne!(healed, bytes);
        load(&caching_host(dir.path(), KEY), "honest-points");
        assert_eq!(std::fs::read(file(dir.path())).expect("file"), healed);
    }
}

#[test]
fn what_another_key_sealed_is_not_run() {
    let dir = tempfile::tempdir().expect("dir");
    load(&caching_host(dir.path(), [1; 32]), "honest-points");
    let foreign = std::fs::read(file(dir.path())).expect("file");
    load(&caching_host(dir.path(), KEY), "honest-points");
    assert_ne!(std::fs::read(file(dir.path())).expect("file")[..32], foreign[..32]);
}

#[test]
fn what_was_compiled_from_something_else_is_not_run() {
    let dir = tempfile::tempdir().expect("dir");
    let other = tempfile::tempdir().expect("dir");
    load(&caching_host(dir.path(), KEY), "honest-points");
    load(&caching_host(other.path(), KEY), "trap");
    // Well sealed, but for another plugin.
    std::fs::copy(file(other.path()), file(dir.path())).expect("copy");
    let verdict = decide(&load(&caching_host(dir.path(), KEY), "honest-points"));
    assert_eq!(crate::support::earned(&verdict), 12);
}

#[test]
fn a_cache_that_cannot_be_written_is_no_hindrance() {
    let dir = tempfile::tempdir().expect("dir");
    let host = caching_host(dir.path(), KEY);
    // A directory stands where the file should be.
    load(&host, "honest-points");
    let path = file(dir.path());
    std::fs::remove_file(&path).expect("remove");
    std::fs::create_dir(&path).expect("dir");
    let plugin = host.load(&component("honest-points")).expect("compiled again");
    assert_eq!(crate::support::earned(&decide(&plugin)), 12);
    file(dir.path());
}
