//! Who somebody is: digest authentication (RFC 7616, RFC 8760), both to prove it and to have it proved. It knows
//! neither transactions nor what a request is for.

mod algorithm;
mod answer;
mod challenge;
mod guard;
mod params;

pub use algorithm::Algorithm;
pub use answer::{Account, Fresh, answer};
pub use challenge::best_challenge;
pub use guard::{Asker, CHALLENGED, Guard, REFUSED, Verdict, put_challenges};
