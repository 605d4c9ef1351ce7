//! The vocabulary that the language and the runtime share: requests, values, time, the traits of a
//! compiled program, the driver loop. It knows neither how a flow is written nor how a call is carried.

pub mod leg;
pub mod redacted;
pub mod time;

pub use redacted::Redacted;
