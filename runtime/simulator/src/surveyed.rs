//! Surveys of a test: who answers what, and who is written to after his call. It knows the hours of people, and no store.

use runtime_contract::Type;
use runtime_contract::channel::Channel;
use runtime_contract::leg::LegId;
use runtime_contract::survey::follow_up_at;
use runtime_contract::value::{Phone, Value};
use runtime_exchange::{FollowUp, Input, LeftOut, TraceWhat, note_text};
use runtime_outbound::zones_of;

use crate::agents::short;
use crate::difference::Difference;
use crate::plant::{Coming, Plant};
use crate::play::{Played, Player};
use crate::transcript::{Line, What};

/// While another conversation goes on, it is looked again after this time.
const BUSY_MS: u64 = 1_000;

impl Plant {
    /// Somebody is to be written to. Whose number lies nowhere, as freephone numbers do, has the hours of the project.
    pub fn plan_follow_up(&mut self, follow: &FollowUp) {
        let zones = match zones_of(follow.person) {
            [] => vec![self.meta().zone()],
            zones => zones.to_vec(),
        };
        match follow_up_at(follow.ended, &zones) {
            Some(at) => {
                let ms = at.0.saturating_sub(self.now().time.0).max(0).unsigned_abs();
                self.follow_ups += 1;
                self.come(ms, Coming::FollowUp { number: follow.number, person: follow.person });
            }
            None => {
                let refused = Some(LeftOut::NotAtThisHour);
                self.inputs.push_back(Input::FollowUp { number: follow.number, refused });
            }
        }
    }

    /// Somebody is still to be written to.
    pub fn follows_up(&self) -> bool {
        self.follow_ups > 0
    }

    pub fn follow_up(&mut self, number: u64, person: Phone) {
        if !self.ended {
            return self.come(BUSY_MS, Coming::FollowUp { number, person });
        }
        self.follow_ups = self.follow_ups.saturating_sub(1);
        // He may have refused since his conversation.
        let refused = self.outgoing.has_refused(person).then_some(LeftOut::OptedOut);
        self.give(Input::FollowUp { number, refused });
    }

    /// A conversation that we begin.
    pub fn writes_to(&mut self, leg: LegId, channel: Channel, to: String) {
        self.leg = leg;
        self.channel = channel;
        self.ended = false;
        self.unanswered.clear();
        self.serves = None;
        self.write(What::WritesTo { channel: channel.word().to_owned(), to });
    }

    pub fn trace_survey(&mut self, what: TraceWhat) {
        self.is_surveyed |= matches!(what, TraceWhat::SurveyHeld { .. });
        let surveys = &self.meta().surveys;
        let name = |survey: u32| surveys.get(survey as usize).map_or("", |survey| short(&survey.name)).to_owned();
        let line = match what {
            TraceWhat::SurveyAnswered { survey, question, text } => {
                let table = surveys.get(survey as usize);
                let asked = table.and_then(|survey| survey.questions.get(question as usize));
                What::Answers { question: asked.map_or_else(String::new, |asked| asked.name.clone()), answer: text }
            }
            TraceWhat::SurveyLeftOut { survey, why } => {
                What::NotAsked { survey: name(survey), why: why.name().to_owned() }
            }
            TraceWhat::SurveyHeld { survey, by } => {
                let left_out = surveys.get(survey as usize).into_iter().flat_map(|survey| survey.left_out(by));
                let lines = left_out.map(|(question, only)| What::LeavesOut {
                    survey: name(survey),
                    question: question.name.clone(),
                    only,
                });
                return lines.collect::<Vec<_>>().into_iter().for_each(|line| self.write(line));
            }
            TraceWhat::SurveyFollows { survey } => What::SurveyFollows { survey: name(survey) },
            _ => return,
        };
        self.write(line);
    }
}

impl Player {
    pub fn expect_answer(&mut self, question: &str, answer: Option<&(Type, Value)>) -> Played {
        let answer = answer.map(|(r#type, value)| note_text(self.plant.meta(), r#type, value));
        let from = self.called_from;
        let is_it = |line: &Line| match &line.what {
            What::Answers { question: asked, answer: given } => {
                asked == question && answer.as_ref().is_none_or(|wanted| wanted == given)
            }
            _ => false,
        };
        if self.until(|plant| plant.transcript.iter().skip(from).any(is_it).then_some(())).is_some() {
            return Ok(());
        }
        let given = self.plant.transcript.iter().skip(from).filter_map(|line| match &line.what {
            What::Answers { question, answer } => Some(format!("`{question}` is answered by {answer}")),
            What::NotAsked { why, .. } => Some(format!("nobody is asked: {why}")),
            _ => None,
        });
        let given: Vec<String> = given.collect();
        let came = match given.as_slice() {
            [] => format!("no question is answered; {}", self.stands()),
            given => format!("{}; {}", given.join(", "), self.stands()),
        };
        let by = answer.map_or_else(String::new, |answer| format!(" by {answer}"));
        Err(Difference::new(format!("`{question}` is answered{by}"), came))
    }
}
