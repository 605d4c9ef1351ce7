//! The only door into the language.
