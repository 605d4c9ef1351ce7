//! Rows that speak of a person are found by a keyed hash of the number, so that an index says nothing
//! without the key. The key is made at the first start and lies beside the database, readable by its owner.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::StoreError;

pub(crate) type Key = [u8; 32];

pub(crate) fn key(folder: &Path) -> Result<Key, StoreError> {
    let path = folder.join("person.key");
    let failed = |cause: std::io::Error| StoreError::folder(folder, &cause);
    let mut key = [0; 32];
    match OpenOptions::new().read(true).open(&path) {
        Ok(mut file) => file.read_exact(&mut key).map_err(failed)?,
        Err(cause) if cause.kind() == ErrorKind::NotFound => {
            getrandom::fill(&mut key).map_err(|cause| StoreError::folder(folder, &cause))?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(failed)?;
            file.write_all(&key).and_then(|()| file.sync_all()).map_err(failed)?;
        }
        Err(cause) => return Err(failed(cause)),
    }
    Ok(key)
}

/// Keyed BLAKE3 of a number; what writes it differently (`+`, blanks) is the caller's business.
pub(crate) fn hash(key: &Key, number: &str) -> [u8; 32] {
    *blake3::keyed_hash(key, number.as_bytes()).as_bytes()
}
