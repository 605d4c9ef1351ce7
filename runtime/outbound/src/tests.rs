//! Runs of cadences, watched by the checker: single ones by hand, and a year of ten thousand by chance.

mod bench;
mod chance;
mod runs;
