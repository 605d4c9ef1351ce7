//! What a journal says of a call: each request, and what the caller and the world answered. It knows no other version.

use std::sync::Arc;

use runtime_contract::host::Observation;
use runtime_contract::leg::GoneCause;
use runtime_contract::request::{Kind, Request};
use runtime_contract::value::Value;
use runtime_contract::{FlowProgram, SiteId, Time};

use crate::input::StopReason;
use crate::journal::{Claimed, Record, Reply, Started};
use crate::replay::{ReplayError, Told};
use crate::session::Session;

/// What ended the line, or the call from outside, while a request was outstanding.
#[derive(Clone, Copy)]
pub(super) enum Cut {
    Gone(GoneCause),
    Stop(StopReason),
}

#[derive(Clone)]
pub(super) struct Asked {
    pub site: SiteId,
    pub arguments: Option<Vec<Value>>,
    pub asked: Time,
    pub keys: Option<Claimed>,
    pub cut: Option<Cut>,
    /// When the cut came.
    pub left_at: Time,
    /// `None`: the journal ends before.
    pub reply: Option<Reply>,
    pub replied: Time,
    /// Its answer was given already, or it has none to give.
    pub used: bool,
}

/// What was seen of a private value.
pub(super) struct Seen {
    /// The request whose answer was the last before.
    pub after: Option<usize>,
    pub observation: Observation,
}

pub(super) struct Past {
    pub started: Started,
    /// Arguments of the entry flow.
    pub given: Vec<Value>,
    pub requests: Vec<Asked>,
    pub seen: Vec<Seen>,
    /// The request at which the caller left.
    pub left: Option<(usize, GoneCause)>,
    /// The journal ends before its call does.
    pub is_cut: bool,
}

impl Past {
    pub fn of_journal(program: &Arc<dyn FlowProgram>, bytes: &[u8]) -> Result<Past, ReplayError> {
        let (mut started, mut given) = (None, Vec::new());
        let (mut requests, mut seen): (Vec<Asked>, Vec<Seen>) = (Vec::new(), Vec::new());
        let mut answered = None;
        let (mut is_full, mut is_over) = (false, false);
        Session::retell(Arc::clone(program), bytes, &mut |time, told| {
            let count = requests.len();
            let last = requests.last_mut();
            match (told, last) {
                (Told::Record(Record::Start(start)), _) => started = Some(start.clone()),
                (Told::Record(Record::Given(values)), _) => given.clone_from(values),
                (Told::Record(Record::Request { site, .. }), _) => requests.push(Asked {
                    site: *site,
                    arguments: None,
                    asked: time,
                    keys: None,
                    cut: None,
                    left_at: time,
                    reply: None,
                    replied: time,
                    used: false,
                }),
                (Told::Asked { arguments, .. }, Some(last)) => last.arguments = arguments.map(<[Value]>::to_vec),
                (Told::Record(Record::Claim { keys, .. }), Some(last)) => last.keys = Some(keys.clone()),
                (Told::Record(Record::Gone(cause)), Some(last)) if *cause != GoneCause::LocalHungUp => {
                    last.cut.get_or_insert(Cut::Gone(*cause));
                    last.left_at = time;
                }
                (Told::Record(Record::Stop(reason)), Some(last)) => {
                    last.cut.get_or_insert(Cut::Stop(*reason));
                    last.left_at = time;
                }
                (Told::Record(Record::Reply { reply, .. }), Some(last)) => {
                    last.reply = Some(reply.clone());
                    last.replied = time;
                    answered = Some(count - 1);
                }
                (Told::Record(Record::Observation(observation)), _) => {
                    seen.push(Seen { after: answered, observation: observation.clone() });
                }
                (Told::Record(Record::Full), _) => is_full = true,
                (Told::Record(Record::End(_)), _) => is_over = true,
                _ => {}
            }
        })?;
        let started = started.ok_or(ReplayError::NoStart)?;
        let mut past = Past { started, given, requests, seen, left: None, is_cut: is_full || !is_over };
        past.settle(program);
        Ok(past)
    }

    /// Those that were never carried out, for the line was gone, have nothing to say.
    fn settle(&mut self, program: &Arc<dyn FlowProgram>) {
        for (at, asked) in self.requests.iter_mut().enumerate() {
            let kind = program.meta().request(asked.site).map(Request::kind);
            asked.used = matches!((&asked.reply, asked.cut), (Some(Reply::Gone), None))
                || matches!(
                    kind,
                    Some(
                        Kind::HangUp
                            | Kind::Reject
                            | Kind::Note
                            | Kind::Recording
                            | Kind::Send
                            | Kind::Notify
                            | Kind::OpenCase
                            | Kind::Consent
                            | Kind::Start
                            | Kind::SurveyAnswer
                    )
                );
            match asked.cut {
                // Who was given away did not leave.
                Some(Cut::Gone(cause)) if cause != GoneCause::Transferred => {
                    self.left.get_or_insert((at, cause));
                }
                _ => {}
            }
        }
    }

    pub fn all_used(&self) -> bool {
        self.requests.iter().all(|asked| asked.used)
    }
}
