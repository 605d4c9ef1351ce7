//! All calls of a node.
