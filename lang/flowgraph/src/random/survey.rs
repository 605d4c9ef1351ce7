//! A survey for random programs to hold: its table, and a flow that comes back at once.

use runtime_contract::channel::Channel;
use runtime_contract::program::ProgramMeta;
use runtime_contract::survey::{Question, Survey};
use runtime_contract::types::Type;

use super::values::place;
use crate::builder::GraphBuilder;

/// The survey without its flow; a question for each of these types.
pub fn table(meta: &mut ProgramMeta, types: impl Iterator<Item = Type>) {
    let question = |(at, r#type): (usize, Type)| Question { name: format!("q{at}"), r#type };
    meta.surveys.push(Survey {
        name: "m.S".into(),
        place: place(0),
        queue: 0,
        flow: 0,
        channels: vec![Channel::Voice, Channel::Sms],
        questions: types.enumerate().map(question).collect(),
    });
}

pub fn flow(builder: &mut GraphBuilder) {
    let id = builder.flow("m.S", Vec::new(), None);
    let entry = builder.segment(id);
    builder.set_entry(id, entry);
    builder.go_to(builder.entry(entry));
    let tag = builder.integer(0);
    builder.return_with(tag, &[]);
    builder.meta.surveys.iter_mut().for_each(|survey| survey.flow = id.0);
}
