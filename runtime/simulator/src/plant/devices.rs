//! What plays, records, listens and answers in the plant: media, and the services of a test.

use runtime_contract::channel::Channel;
use runtime_contract::leg::LegEvent;
use runtime_contract::record::Quality;
use runtime_contract::script::Given;
use runtime_contract::{Redacted, spoken};
use runtime_exchange::{Input, MediaCommand, MediaEvent, Recorded, ServiceCall, ServiceFailure};

use super::{Asks, Coming, Plant, Recording, SERVICE_MS, heard, length_ms, nowhere, open_text};
use crate::transcript::What;

impl Plant {
    pub(super) fn media(&mut self, command: MediaCommand) {
        match command {
            MediaCommand::Open { leg, .. } => {
                self.inputs.push_back(Input::Media(MediaEvent::Opened { leg, address: nowhere() }));
            }
            MediaCommand::Play { leg, token, items, .. } if leg != self.leg => {
                let ms = items.iter().map(|item| length_ms(heard(self.meta(), Channel::Voice, item).as_ref())).sum();
                self.come(ms, Coming::Whispered { leg, token });
            }
            MediaCommand::Play { token, items, .. } => {
                self.playing = Some(token);
                let ms = items.iter().map(|item| self.length_ms(item)).sum();
                self.come(ms, Coming::PlayDone { token });
            }
            MediaCommand::StopPlay { .. } => self.forget_playing(),
            MediaCommand::Record { recording, length_ms_max, silence_ms, .. } => {
                self.recording = Some(Recording { id: recording, since: self.tick, length_ms_max, spoken: false });
                self.come(u64::from(silence_ms.min(length_ms_max)), Coming::RecordEnds { recording });
            }
            MediaCommand::RecordCall { recording, .. } => self.conversation = Some((recording, self.tick)),
            MediaCommand::StopRecordCall { .. } => self.stop_conversation(),
            MediaCommand::StopRecord { leg } if leg == self.leg => {
                self.forget_playing();
                self.stop_recording();
            }
            MediaCommand::Close { leg } => {
                self.forget(|what| matches!(what, Coming::Whispered { leg: whispered, .. } if *whispered == leg));
                self.agents.leg_over(leg);
                if leg == self.leg {
                    self.forget_playing();
                    self.stop_recording();
                    self.stop_conversation();
                }
                // No packet was on the way.
                self.inputs.push_back(Input::Media(MediaEvent::Closed { leg, quality: Quality::default() }));
            }
            // What one hears of the other is of no account here.
            _ => {}
        }
    }

    fn forget_playing(&mut self) {
        if let Some(token) = self.playing.take() {
            self.forget(|what| matches!(what, Coming::PlayDone { token: old } if *old == token));
        }
    }

    pub(super) fn forget(&mut self, which: impl Fn(&Coming) -> bool) {
        self.what_comes.retain(|_, what| !which(what));
        let known: Vec<u64> = self.what_comes.keys().copied().collect();
        self.coming.retain(|next| known.binary_search(&next.0.1).is_ok());
    }

    fn stop_recording(&mut self) {
        let Some(recording) = self.recording.take() else { return };
        let length_ms = (self.tick.saturating_since(recording.since)).as_millis() as u32;
        if recording.spoken {
            self.write(What::Records);
        }
        let result = Ok(Recorded { length_ms, spoken: recording.spoken });
        self.inputs.push_back(Input::Media(MediaEvent::Recorded { leg: self.leg, recording: recording.id, result }));
    }

    fn stop_conversation(&mut self) {
        let Some((recording, since)) = self.conversation.take() else { return };
        let length_ms = self.tick.saturating_since(since).as_millis() as u32;
        let result = Ok(Recorded { length_ms, spoken: true });
        self.inputs.push_back(Input::Media(MediaEvent::Recorded { leg: self.leg, recording, result }));
    }

    /// A recording's time is up: its longest, or the silence after which it ends when nobody speaks.
    pub(super) fn end_recording(&mut self, id: u64) {
        let Some(recording) = self.recording.as_ref().filter(|recording| recording.id == id) else { return };
        let passed_ms = (self.tick.saturating_since(recording.since)).as_millis() as u64;
        let left_ms = u64::from(recording.length_ms_max).saturating_sub(passed_ms);
        if recording.spoken && left_ms > 0 {
            self.come(left_ms, Coming::RecordEnds { recording: id });
        } else {
            self.stop_recording();
            self.drain();
        }
    }

    pub(super) fn ask(&mut self, call: Box<ServiceCall>) {
        let is_known = self.answers.contains_key(&(call.service, call.operation));
        if self.asks == Asks::All || self.asks == Asks::Unknown && !is_known {
            self.asked = Some(call);
        } else {
            self.come(SERVICE_MS, Coming::Service(call));
        }
    }

    /// What was asked has its answer.
    pub fn answer(&mut self, service: u32, operation: u32, answer: Given) {
        self.answers.insert((service, operation), answer);
        if let Some(call) = self.asked.take_if(|call| (call.service, call.operation) == (service, operation)) {
            self.come(SERVICE_MS, Coming::Service(call));
        }
    }

    pub(super) fn answer_service(&mut self, call: &ServiceCall) {
        let meta = self.program.meta();
        let service = meta.services.get(call.service as usize);
        let operation = service.and_then(|service| service.operations.get(call.operation as usize));
        let (Some(service), Some(operation)) = (service, operation) else { return };
        let name = format!("{}.{}", service.name, operation.name);
        let arguments = operation.parameters.iter().zip(&call.arguments);
        let arguments: Vec<String> =
            arguments.map(|(parameter, value)| open_text(meta, &parameter.r#type, value)).collect();
        let given = self.answers.get(&(call.service, call.operation));
        let answer = match (given, &operation.result) {
            (Some(Given::Ok(Some(value))), Some(r#type)) => open_text(meta, r#type, value),
            (Some(Given::Ok(_)), _) => "ok".to_owned(),
            (Some(Given::Failed), _) => "failed".to_owned(),
            (None, _) => "failed (no `given` says what it answers)".to_owned(),
        };
        let result = match given {
            Some(Given::Ok(value)) => Ok(value.clone()),
            Some(Given::Failed) => Err(ServiceFailure::Unreachable),
            None => Err(ServiceFailure::NotConfigured),
        };
        if given.is_none() {
            self.unanswered.insert(name.clone());
        }
        self.write(What::Service { name, arguments: arguments.join(", "), answer });
        self.give(Input::Service { call: call.call, request: call.request, result });
    }

    /// The caller speaks these words, into the recording that runs or to the menu that listens, for as long as they
    /// take; or writes them.
    pub fn say(&mut self, text: &str) {
        self.begin_to_say(text);
        if !self.ended && !self.channel.is_written() {
            self.run_until(self.tick.plus_ms(spoken::spoken_ms(text)));
        }
    }

    pub fn begin_to_say(&mut self, text: &str) {
        if self.is_recording() {
            self.write(What::Says(text.to_owned()));
            self.speak();
        } else {
            self.saying = Some(text.to_owned());
            self.give(Input::Leg(LegEvent::Words { leg: self.leg, words: Redacted::new(text.to_owned()) }));
            self.saying = None;
        }
    }
}
