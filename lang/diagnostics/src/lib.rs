//! What a problem is, and how it is shown to people and machines.
