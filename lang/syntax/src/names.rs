//! Names as they are compared.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// `é` is one name, whether it was typed as one sign or as a letter and an accent (Unicode NFC, UAX #15). Some systems
/// write the names of files the second way.
pub fn composed(name: &str) -> String {
    match is_nfc_quick(name.chars()) {
        IsNormalized::Yes => name.to_owned(),
        _ => name.nfc().collect(),
    }
}
