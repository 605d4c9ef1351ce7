//! What comes back to a waiting program: a payload written to the mailbox by the site's layout, and the
//! arguments of the request read from it.

use crate::drive::Outcome;
use crate::host::FaultKind;
use crate::program::SiteId;
use crate::stack::Stack;
use crate::types::Type;
use crate::value::{Memory, Value};

/// Writes the payload of an outcome into the running frame's mailbox; gives what to resume with. A payload
/// that does not fit the site is a fault, never a wrong value.
pub fn reply(
    memory: &mut Memory<'_>,
    stack: &mut Stack,
    site: SiteId,
    outcome: u32,
    payload: Option<&Value>,
) -> Outcome {
    let meta = memory.meta;
    let wanted = meta.site(site).and_then(|info| info.payloads.get(outcome as usize));
    let mailbox = meta.flow(stack.flow()).map_or(0, |flow| flow.mailbox_at);
    match (wanted, payload) {
        (Some(None), None) => {
            // What this outcome does not bring reads as nothing, not as what lay there before.
            let payloads = meta.site(site).into_iter().flat_map(|info| info.payloads.iter().flatten());
            let words = payloads.map(|payload| meta.types.width(payload) as u32).max().unwrap_or(0);
            (mailbox..mailbox + words).for_each(|slot| stack.set_slot(slot, 0));
            Outcome::Result(outcome)
        }
        (Some(Some(r#type)), Some(value)) => match memory.words(value, r#type) {
            Ok(words) => {
                for (slot, word) in (mailbox..).zip(words) {
                    stack.set_slot(slot, word);
                }
                Outcome::Result(outcome)
            }
            Err(kind) => Outcome::Fault(kind),
        },
        _ => Outcome::Fault(FaultKind::Host),
    }
}

/// The dynamic arguments of the request at which the stack waits, with their types; `None` when one of them
/// is a private value that was lost.
pub fn arguments<'m>(memory: &Memory<'m>, stack: &Stack, site: SiteId) -> Option<Vec<(&'m Type, Value)>> {
    let meta = memory.meta;
    let info = meta.site(site)?;
    let mailbox = meta.flow(info.flow)?.mailbox_at;
    let mut words = stack.frame().iter().skip(mailbox as usize).copied();
    info.arguments.iter().map(|r#type| Some((r#type, memory.value(&mut words, r#type)?))).collect()
}
