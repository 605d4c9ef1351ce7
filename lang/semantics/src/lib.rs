//! What every name means; what type, outcome and effect every construct has.
