//! The blob of one group commit: what each call's journal grew by, and at which offset, so that after a
//! crash the pieces of blobs and parts are joined without a gap and without a repetition.

use std::collections::HashMap;

use runtime_contract::record::CallId;
use runtime_contract::{GraphId, Time};
use serde::{Deserialize, Serialize};

use crate::read::OpenCall;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub call: CallId,
    /// Bytes of this call's journal before this piece.
    pub offset: u64,
    pub start: Option<Start>,
    pub bytes: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Start {
    pub graph: GraphId,
    pub started: Time,
    pub dialog: Vec<u8>,
}

/// Open calls as pieces put them together, in any order of `take`, as long as offsets grow per call.
#[derive(Default)]
pub(crate) struct Joined(HashMap<CallId, OpenCall>);

impl Joined {
    pub fn take(&mut self, piece: Piece) {
        let call = match (self.0.get_mut(&piece.call), piece.start) {
            (Some(call), _) => call,
            (None, Some(start)) => self.0.entry(piece.call).or_insert(OpenCall {
                call: piece.call,
                graph: start.graph,
                started: start.started,
                dialog: start.dialog,
                journal: Vec::new(),
            }),
            // The rest of a call that was finished, and whose first blob is gone.
            (None, None) => return,
        };
        let known = call.journal.len() as u64;
        if let Some(fresh) = known.checked_sub(piece.offset).and_then(|seen| piece.bytes.get(seen as usize..)) {
            call.journal.extend_from_slice(fresh);
        }
    }

    /// Oldest first.
    pub fn into_calls(self) -> Vec<OpenCall> {
        let mut calls: Vec<_> = self.0.into_values().collect();
        calls.sort_by_key(|call| (call.started, call.call));
        calls
    }
}
