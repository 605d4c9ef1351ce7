//! Machine code for a verified graph.
