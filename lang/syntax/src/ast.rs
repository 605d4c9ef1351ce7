//! What a file says, free of blanks, comments and braces. Every node knows its place; a node that a later version may
//! refuse knows its keyword's place. Knows nothing of what names mean.
//!
//! A `then` chain is simply several statements in a `Body`; a body that ends in a value has `StatementKind::Value` last.

mod expression;
mod item;
mod routing;
mod statement;
mod test;

pub use expression::*;
pub use item::*;
pub use routing::*;
pub use statement::*;
pub use test::*;
