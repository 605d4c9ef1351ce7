//! The blob of one group commit: what each call's journal grew by, and at which offset, so that after a
//! crash the pieces of blobs and parts are joined without a gap and without a repetition.

use std::collections::HashMap;

use runtime_contract::GraphId;
use runtime_contract::record::CallId;
use serde::{Deserialize, Serialize};

use crate::read::OpenCall;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Piece {
    pub call: CallId,
    /// Bytes of this call's journal before this piece.
    pub offset: u64,
    pub graph: GraphId,
    pub bytes: Vec<u8>,
}

/// Open calls as pieces put them together, in any order of `take`, as long as offsets grow per call.
#[derive(Default)]
pub(crate) struct Joined(HashMap<CallId, OpenCall>);

impl Joined {
    pub fn take(&mut self, piece: Piece) {
        let begun = OpenCall { call: piece.call, graph: piece.graph, journal: Vec::new() };
        let call = self.0.entry(piece.call).or_insert(begun);
        let known = call.journal.len() as u64;
        if let Some(fresh) = known.checked_sub(piece.offset).and_then(|seen| piece.bytes.get(seen as usize..)) {
            call.journal.extend_from_slice(fresh);
        }
    }

    pub fn into_calls(self) -> Vec<OpenCall> {
        let mut calls: Vec<_> = self.0.into_values().collect();
        calls.sort_by_key(|call| call.call);
        calls
    }
}
