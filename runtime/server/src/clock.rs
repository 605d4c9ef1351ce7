//! The machine's two clocks, read once for each round of a loop.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use runtime_contract::{Now, Tick, Time};

/// Ticks count from when the clock was made; time never goes back, whatever happens to the machine's.
pub struct Clock {
    origin: Instant,
    latest: Time,
    /// Of a rehearsal: where time began.
    began: Option<Time>,
}

impl Clock {
    pub fn start() -> Clock {
        Clock { origin: Instant::now(), latest: Time(0), began: None }
    }

    /// A rehearsal: time begins here, and goes on as fast as the machine's.
    pub fn start_at(began: Option<Time>) -> Clock {
        Clock { began, ..Clock::start() }
    }

    pub fn now(&mut self) -> Now {
        let (began, since) = match self.began {
            Some(began) => (began.0, self.origin.elapsed()),
            None => (0, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()),
        };
        let time = began.saturating_add(i64::try_from(since.as_millis()).unwrap_or(i64::MAX));
        self.latest = self.latest.max(Time(time));
        Now { tick: Tick(0) + self.origin.elapsed(), time: self.latest }
    }

    /// From now to this tick; zero when it has passed.
    pub fn until(&self, deadline: Tick) -> Duration {
        deadline.saturating_since(Tick(0) + self.origin.elapsed())
    }
}
