//! Flows everyone needs, written in the language, embedded.
