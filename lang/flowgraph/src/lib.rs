//! The program as segments, edges and waits.
