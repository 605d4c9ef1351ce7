//! Text to tree to AST, and the canonical printer.
