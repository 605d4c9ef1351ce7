//! What the caller does in the demo, and what he should hear: the flow itself says it, played in virtual time
//! with the same keys and the same bank. Nothing is written down twice.

use std::sync::Arc;

use lang_compiler::Compiled;
use runtime_contract::channel::Channel;
use runtime_contract::script::Given;
use runtime_contract::value::{Money, Value};
use runtime_simulator::{Talk, What};

use crate::moment::Moment;
use crate::show::{Failure, Result};

/// What the bank of the demo says to every card.
pub const BALANCE: Money = Money { amount: 12_505_000, currency: 156 };

/// What the caller does when he has heard everything that he was to hear.
#[derive(Clone, Debug)]
pub enum Act {
    /// Keys, and what a person calls them.
    Press(&'static str, &'static str),
    /// Speaks into the recording, then presses hash.
    Speak,
}

const ACTS: &[Act] = &[
    Act::Press("2", "English"),
    Act::Press("7", "not on the menu"),
    Act::Press("1", "balance"),
    Act::Press("4111111111111111#", "the card, private"),
    Act::Press("2", "leave a message"),
    Act::Speak,
];

/// How long the caller speaks, in virtual time.
const SPEAK_MS: u64 = 3_000;

/// One thing that the caller should hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sound {
    Text { language: String, text: String },
    OwnVoice,
}

/// What is heard, and then what is done; the last is followed by the end of the call.
pub struct Stage {
    pub sounds: Vec<Sound>,
    pub act: Option<Act>,
}

/// Plays the demo's caller in virtual time.
pub fn plan(compiled: &Compiled, began: &Moment) -> Result<Vec<Stage>> {
    let program = Arc::clone(&compiled.program);
    let mut talk = Talk::new(program, began.time);
    talk.answer(0, 0, Given::Ok(Some(Value::Money(BALANCE))));
    talk.call(Channel::Voice, Some("+8613800000000".into()), super::NUMBER);
    let mut stages = Vec::new();
    for act in ACTS {
        stages.push(Stage { sounds: sounds(&mut talk), act: Some(act.clone()) });
        match act {
            Act::Press(keys, _) => talk.press(keys),
            Act::Speak => {
                talk.wait(SPEAK_MS);
                talk.press("#");
            }
        }
    }
    stages.push(Stage { sounds: sounds(&mut talk), act: None });
    if !talk.is_over() || stages.iter().any(|stage| stage.sounds.is_empty()) {
        return Err(Failure::new("the example does not take the way that the demo shows", ""));
    }
    Ok(stages)
}

fn sounds(talk: &mut Talk) -> Vec<Sound> {
    let heard = talk.news().into_iter().filter_map(|line| match line.what {
        What::Hears { language, text } => Some(Sound::Text { language, text }),
        What::HearsRecording => Some(Sound::OwnVoice),
        _ => None,
    });
    heard.collect()
}
