//! How long a caller will wait, as far as that can be told: the pace at which the last callers were answered, or what the
//! agents who are there would need. A figure for the caller's ear, not for a report.

use runtime_contract::Time;

use crate::acd::Acd;
use crate::measures::Figures;
use crate::queues::{QueueId, Rank};
use crate::ticket::ms_between;

/// Handling time of a queue that has handled nobody yet.
const HANDLING_MS: u64 = 180_000;
/// What is older says nothing of the pace now.
const GAPS_AGE_MS_MAX: u64 = 1_800_000;
/// Handling times are taken of so long.
const HANDLING_WINDOW_MS: i64 = 3_600_000;

impl Acd {
    /// Tickets before this place in its queue, callbacks among them: they keep theirs.
    pub(crate) fn ahead(&self, queue: QueueId, rank: Rank) -> u32 {
        self.queues.get(queue).map_or(0, |line| line.waiting.range(..rank).count() as u32)
    }

    /// Position times the mean time between two answers of late. Without any, an agent's handling time is shared by
    /// those who are logged in.
    pub(crate) fn expected_wait_ms(&self, now: Time, queue: QueueId, ahead: u32) -> u64 {
        let Some(line) = self.queues.get(queue) else { return 0 };
        let recent = line.gaps.iter().filter(|(at, _)| ms_between(*at, now) <= GAPS_AGE_MS_MAX);
        let (gaps, sum) = recent.fold((0u64, 0u64), |(gaps, sum), (_, gap)| (gaps + 1, sum.saturating_add(*gap)));
        let pace_ms = sum.checked_div(gaps).unwrap_or_else(|| {
            let from = Time(now.0.saturating_sub(HANDLING_WINDOW_MS));
            let handling = Figures::of(line.log.since(from), None).aht_ms().unwrap_or(HANDLING_MS);
            let agents = self.staff_of(line, |class| class.logged_in);
            handling / u64::from(agents.max(1))
        });
        pace_ms.saturating_mul(u64::from(ahead) + 1)
    }
}
