//! What a program says of its surveys, as tables: after which queue somebody is asked, by what, and which questions there
//! are. What is asked when is its flow's; who is left out is decided where calls are known.

use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::program::Place;
use crate::time::Time;
use crate::types::Type;

/// `survey S after Q`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Survey {
    /// `module.survey`
    pub name: String,
    pub place: Place,
    /// Index in `ProgramMeta::queues`. No two surveys have the same.
    pub queue: u32,
    /// Index in `ProgramMeta::flows`: it has no parameters and comes back with nothing.
    pub flow: u32,
    /// First what is tried first.
    pub channels: Vec<Channel>,
    /// In the order of the text, those behind a condition too.
    pub questions: Vec<Question>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub name: String,
    /// Of an answer that was given.
    pub r#type: Type,
}

impl Question {
    /// Where only one channel can bring the answer: what is said is not written down, and nobody speaks in an SMS.
    pub fn only(&self) -> Option<Channel> {
        match self.r#type {
            Type::Recording => Some(Channel::Voice),
            Type::Text => Some(Channel::Sms),
            _ => None,
        }
    }
}

/// Nobody is asked again before, whatever the survey.
pub const ASKED_AGAIN_MS: i64 = 30 * 86_400_000;
/// How long after a conversation somebody is written to: at the earliest, so that he has put his phone down, and at the
/// latest.
const FOLLOW_UP_MS: (i64, i64) = (60_000, 600_000);
/// Nobody is written to before this minute of his day, or from the other on.
const HOURS: (u16, u16) = (8 * 60, 21 * 60);

impl Survey {
    pub fn is_by(&self, channel: Channel) -> bool {
        self.channels.contains(&channel)
    }

    /// Questions that are left out where somebody is asked by this channel, each with the one that can bring its answer.
    pub fn left_out(&self, by: Channel) -> impl Iterator<Item = (&Question, Channel)> {
        let only = move |question: &Question| question.only().filter(|only| *only != by);
        self.questions.iter().filter_map(move |question| Some((question, only(question)?)))
    }
}

/// When somebody in these zones may be written to, at this instant or behind it; `None` when that is too late. A zone that
/// nobody knows allows nothing, and so does none at all.
pub fn follow_up_at(ended: Time, zones: &[&str]) -> Option<Time> {
    const STEP_MS: i64 = 60_000;
    let is_allowed = |at: Time| {
        let minute = |zone: &&str| crate::calendar::local(at, zone).map(|(_, minute, _)| minute);
        !zones.is_empty() && zones.iter().all(|zone| minute(zone).is_some_and(|at| HOURS.0 <= at && at < HOURS.1))
    };
    let (first, last) = (ended.0.saturating_add(FOLLOW_UP_MS.0), ended.0.saturating_add(FOLLOW_UP_MS.1));
    // Days begin at full minutes everywhere.
    let minutes = (1..).map(|at| first.div_euclid(STEP_MS).saturating_add(at).saturating_mul(STEP_MS));
    let mut instants = [first].into_iter().chain(minutes).take_while(|at| *at <= last).map(Time);
    instants.find(|at| is_allowed(*at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-02 00:00 UTC.
    const MIDNIGHT: i64 = 1_772_409_600_000;
    const MINUTE: i64 = 60_000;

    fn at(minute: i64) -> Time {
        Time(MIDNIGHT + minute * MINUTE)
    }

    #[test]
    fn nobody_is_written_to_at_night() {
        let when = |minute: i64| follow_up_at(at(minute), &["UTC"]);
        assert_eq!(when(8 * 60), Some(at(8 * 60 + 1)));
        assert_eq!(when(21 * 60 - 2), Some(at(21 * 60 - 1)));
        assert_eq!(when(21 * 60 - 1), None);
        assert_eq!(when(8 * 60 - 10), Some(at(8 * 60)), "within ten minutes it becomes day");
        assert_eq!(when(8 * 60 - 11), None);
    }

    #[test]
    fn all_zones_of_a_person_must_allow_it() {
        assert!(follow_up_at(at(13 * 60), &["UTC", "Asia/Shanghai"]).is_none(), "it is nine in the evening there");
        assert!(follow_up_at(at(12 * 60), &["UTC", "Asia/Shanghai"]).is_some());
        assert_eq!(follow_up_at(at(12 * 60), &[]), None);
        assert_eq!(follow_up_at(at(12 * 60), &["Nowhere/None"]), None);
    }
}
