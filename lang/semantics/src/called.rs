//! What a flow reads of the call's destination: a call to a number has no extension, and one to an extension no number.

use std::collections::BTreeSet;

use lang_diagnostics::{Code, Diagnostic};
use runtime_contract::channel::Channel;
use runtime_contract::request::Destination;

use crate::check::CheckedFlow;
use crate::hir;
use crate::problems::Problems;
use crate::zones::reached;

/// F0206 where a flow reads what a call that it answers does not have.
pub(crate) fn check_called(flows: &[Option<CheckedFlow>], inbounds: &[hir::Inbound], problems: &mut Problems) {
    let mut told = BTreeSet::new();
    for inbound in inbounds {
        let pattern = &inbound.address.pattern;
        let (has, called) = match inbound.address.channel {
            Channel::Chat => (None, format!("a message to the chat `{pattern}`")),
            Channel::Email => (None, format!("a message to `{pattern}`")),
            _ if inbound.address.is_extension => {
                (Some(Destination::Extension), format!("a call to the extension `{pattern}`"))
            }
            _ => (Some(Destination::Number), format!("a call to `+{pattern}`")),
        };
        let reached = reached(flows, inbound.address.flow);
        for (read, span) in reached.iter().flat_map(|flow| &flow.called_read) {
            if Some(*read) == has || !told.insert((span.file, span.start)) {
                continue;
            }
            let (lacks, other) = match read {
                Destination::Number => ("number", "extension"),
                Destination::Extension => ("extension", "number"),
            };
            let message = format!("{called} has no {lacks}");
            let help = match has {
                Some(_) => format!("`called.{other}`"),
                None => "leave it out".to_owned(),
            };
            problems.give(
                Diagnostic::new(Code::OptionalUsedAsPresent, *span, message)
                    .here("read here")
                    .label(inbound.span, "called here")
                    .help(help)
                    .note("a flow that answers both is run by one for numbers and one for extensions"),
            );
        }
    }
}
