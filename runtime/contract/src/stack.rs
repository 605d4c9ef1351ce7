//! One call's memory as compiled code sees it: a header and frames, plain words without a pointer, so that a
//! call can be copied, compared and rebuilt from its journal.

use crate::drive::Faulted;
use crate::limits::STACK_BYTES_MAX;
use crate::program::SiteId;

/// Words at the start of each frame that belong to the driver:
/// 0 `segment u32 · site u32` (where the frame waits or calls, and the segment that then goes on), 1 `caller base u32 · flow u32`, 2 `phase u32 · exit u32`. Slots follow:
/// result, parameters, variables that live across a wait, mailbox. Slot numbers count from the frame's
/// first word, so the first usable slot is 3.
pub const FRAME_HEADER_WORDS: u32 = 3;
/// First result slot.
pub const RESULT_AT: u32 = FRAME_HEADER_WORDS;

/// What compiled code may read and write beside its frame. `repr(C)`: native code knows these offsets.
#[repr(C)]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// First eight bytes of the graph id: a stack never runs in another graph.
    pub graph_tag: u64,
    /// Gotos and calls left until the next wait.
    pub fuel: i64,
    /// Index of the caller's language.
    pub language: u64,
    /// `caller.number`: tag (1 = some) and E.164 digits.
    pub caller_number: [u64; 2],
    /// `called.number` or `called.extension`: tag and the word of a [`crate::Called`].
    pub called: [u64; 2],
    /// A [`crate::channel::Channel`] as a number.
    pub channel: u64,
    /// Kind of the fault that a segment reported with code FAULT (a [`crate::FaultKind`] as a number).
    pub fault: u32,
    /// Requests made by this activation.
    pub requests: u32,
    /// First word of the running frame.
    pub base: u32,
    /// Frames, this one included.
    pub depth: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    pub header: Header,
    /// All frames. Grown, zeroed, by the driver.
    pub words: Vec<u64>,
    /// Faults since the session last took them; at most a few, each moves its frame on.
    pub faults: Vec<Faulted>,
}

/// What a frame is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    Body = 0,
    Fault = 1,
    Finally = 2,
}

impl Stack {
    /// The running frame, as a slice from its first word to the end of the stack.
    #[inline]
    pub fn frame(&self) -> &[u64] {
        self.words.get(self.header.base as usize..).unwrap_or_default()
    }

    #[inline]
    pub fn frame_mut(&mut self) -> &mut [u64] {
        self.words.get_mut(self.header.base as usize..).unwrap_or_default()
    }

    /// Reads a word of the running frame; 0 outside of it.
    #[inline]
    pub fn slot(&self, slot: u32) -> u64 {
        self.frame().get(slot as usize).copied().unwrap_or(0)
    }

    #[inline]
    pub fn set_slot(&mut self, slot: u32, word: u64) {
        if let Some(place) = self.frame_mut().get_mut(slot as usize) {
            *place = word;
        }
    }

    /// The site at which the running frame waits.
    #[inline]
    pub fn site(&self) -> SiteId {
        SiteId((self.slot(0) >> 32) as u32)
    }

    /// That site, and the segment that takes its outcome.
    #[inline]
    pub(crate) fn waits(&self) -> (SiteId, u32) {
        let word = self.slot(0);
        (SiteId((word >> 32) as u32), word as u32)
    }

    pub fn flow(&self) -> u32 {
        (self.slot(1) >> 32) as u32
    }

    pub(crate) fn caller_base(&self) -> u32 {
        self.slot(1) as u32
    }

    pub fn phase(&self) -> Phase {
        match self.slot(2) as u32 {
            0 => Phase::Body,
            1 => Phase::Fault,
            _ => Phase::Finally,
        }
    }

    pub(crate) fn exit(&self) -> u32 {
        (self.slot(2) >> 32) as u32
    }

    pub(crate) fn set_phase(&mut self, phase: Phase, exit: u32) {
        self.set_slot(2, phase as u64 | u64::from(exit) << 32);
    }

    /// Makes room so that a frame of this many words fits at `base`, zeroing it from word `keep` on.
    /// False when the stack's bound would be passed.
    pub(crate) fn grow(&mut self, base: u32, words: u32) -> bool {
        let end = base as usize + words as usize;
        if end * 8 > STACK_BYTES_MAX {
            return false;
        }
        if self.words.len() < end {
            self.words.resize(end, 0);
        }
        true
    }
}
