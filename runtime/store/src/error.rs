//! What can go wrong with the store, said so that an operator knows what to do.

use std::path::Path;

/// A failure of the disk or the database file, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {cause}")]
pub struct StoreError {
    pub what: String,
    pub cause: String,
    pub help: String,
}

impl StoreError {
    pub(crate) fn folder(folder: &Path, cause: &dyn std::fmt::Display) -> StoreError {
        StoreError {
            what: format!("cannot keep data in `{}`", folder.display()),
            cause: cause.to_string(),
            help: "name a folder that this user may write, with `--data` or `storage: data:` in strowger.yaml".into(),
        }
    }

    pub(crate) fn read(path: &Path, cause: &dyn std::fmt::Display) -> StoreError {
        StoreError {
            what: format!("cannot use the database `{}`", path.display()),
            cause: cause.to_string(),
            help: "check free space and permissions; if the file is damaged, move it away and start again".into(),
        }
    }

    pub(crate) fn missing(path: &Path) -> StoreError {
        StoreError {
            what: format!("there is no database `{}`", path.display()),
            cause: "nothing was ever served with this data folder".into(),
            help: "name the folder that `storage: data:` in strowger.yaml names".into(),
        }
    }

    pub(crate) fn older(path: &Path, found: i64, known: i64) -> StoreError {
        StoreError {
            what: format!("the database `{}` was written by an older strowger", path.display()),
            cause: format!("its schema is version {found}, this program's is {known}"),
            help: "start the server once with `strowger serve`: that brings it up to date".into(),
        }
    }

    pub(crate) fn newer(path: &Path, found: i64, known: i64) -> StoreError {
        StoreError {
            what: format!("the database `{}` was written by a newer strowger", path.display()),
            cause: format!("its schema is version {found}, this program knows {known}"),
            help: "run the newer program, or give another data folder with `--data`".into(),
        }
    }
}
