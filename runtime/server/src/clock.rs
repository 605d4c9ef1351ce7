//! The machine's two clocks, read once for each round of a loop.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use runtime_contract::{Now, Tick, Time};

/// Ticks count from when the clock was made; time never goes back, whatever happens to the machine's.
pub struct Clock {
    origin: Instant,
    latest: Time,
}

impl Clock {
    pub fn start() -> Clock {
        Clock { origin: Instant::now(), latest: Time(0) }
    }

    pub fn now(&mut self) -> Now {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.latest = self.latest.max(Time(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)));
        Now { tick: Tick(0) + self.origin.elapsed(), time: self.latest }
    }

    /// From now to this tick; zero when it has passed.
    pub fn until(&self, deadline: Tick) -> Duration {
        deadline.saturating_since(Tick(0) + self.origin.elapsed())
    }
}
