//! Two clocks that never mix: ticks drive timers, time is what flows and the journal see.

use std::ops::{Add, Sub};
use std::time::Duration;

/// Monotonic nanoseconds since an origin that the driver chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tick(pub u64);

impl Tick {
    pub const MAX: Tick = Tick(u64::MAX);

    pub fn saturating_since(self, earlier: Tick) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    pub fn plus_ms(self, ms: u64) -> Tick {
        Tick(self.0.saturating_add(ms.saturating_mul(1_000_000)))
    }
}

impl Add<Duration> for Tick {
    type Output = Tick;
    fn add(self, after: Duration) -> Tick {
        Tick(self.0.saturating_add(u64::try_from(after.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub<Tick> for Tick {
    type Output = Duration;
    fn sub(self, earlier: Tick) -> Duration {
        self.saturating_since(earlier)
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z, never going back within a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub struct Time(pub i64);

/// Both clocks at one instant, read once by the driver for each input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    pub tick: Tick,
    pub time: Time,
}
