//! By what a conversation is held: by voice, or in writing. It knows times and words, not how messages travel.

use serde::{Deserialize, Serialize};

use crate::limits::{CALL_HOURS_MAX, TEXT_SESSION_DAYS_MAX};

const MS_AN_HOUR: u64 = 3_600_000;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Channel {
    #[default]
    Voice = 0,
    Chat = 1,
    Sms = 2,
    Email = 3,
}

impl Channel {
    pub const ALL: [Channel; 4] = [Channel::Voice, Channel::Chat, Channel::Sms, Channel::Email];

    /// As a flow writes it.
    pub fn word(self) -> &'static str {
        match self {
            Channel::Voice => "voice",
            Channel::Chat => "chat",
            Channel::Sms => "sms",
            Channel::Email => "email",
        }
    }

    pub fn from_number(number: u8) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| *channel as u8 == number)
    }

    /// The other side writes, and reads.
    pub fn is_written(self) -> bool {
        self != Channel::Voice
    }

    /// How long an answer may take where a dialogue says `voice_ms`: who writes has at least the time of his channel.
    pub fn listen_ms(self, voice_ms: u32) -> u64 {
        let least = match self {
            Channel::Voice => 0,
            Channel::Chat => MS_AN_HOUR / 6,
            Channel::Sms | Channel::Email => 24 * MS_AN_HOUR,
        };
        least.max(voice_ms.into())
    }

    /// How long a conversation may take in all.
    pub fn session_ms_max(self) -> u64 {
        match self.is_written() {
            true => TEXT_SESSION_DAYS_MAX * 24 * MS_AN_HOUR,
            false => CALL_HOURS_MAX * MS_AN_HOUR,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_has_the_time_of_his_channel() {
        let listen_ms = |channel: Channel| channel.listen_ms(5_000);
        assert_eq!(Channel::ALL.map(listen_ms), [5_000, 600_000, 86_400_000, 86_400_000]);
        assert_eq!(Channel::Chat.listen_ms(1_200_000), 1_200_000, "unless the flow gives more");
        assert_eq!(Channel::ALL.map(|channel| Channel::from_number(channel as u8)), Channel::ALL.map(Some));
        assert_eq!(Channel::from_number(4), None);
    }
}
