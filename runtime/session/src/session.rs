//! The session itself.

use std::collections::VecDeque;
use std::sync::Arc;

use runtime_contract::{FlowProgram, Now, Tick};

use crate::input::Input;
use crate::output::{Output, Outputs};

/// One call. Plain data but for the program.
#[derive(Clone)]
pub struct Session {
    program: Arc<dyn FlowProgram>,
    outputs: VecDeque<Output>,
}

impl Session {
    pub fn new(program: Arc<dyn FlowProgram>) -> Session {
        Session { program, outputs: VecDeque::new() }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Now, input: Input) -> Outputs<'_> {
        let _ = (&self.program, now, input);
        Outputs { queue: &mut self.outputs }
    }

    /// When [`Input::Tick`] is due at the latest; `None` before the start and after the end.
    pub fn next_deadline(&self) -> Option<Tick> {
        None
    }

    /// Gives [`crate::Trace`] outputs from now on, or no more.
    pub fn set_trace(&mut self, on: bool) {
        let _ = on;
    }
}
