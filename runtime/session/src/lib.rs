//! One call's life.
