//! Where things lie in a frame: header, result, parameters, variables, mailbox.

use runtime_contract::drive::result_words;
use runtime_contract::program::ProgramMeta;
use runtime_contract::stack::RESULT_AT;
use runtime_contract::types::Type;

/// Words of values one after the other.
pub fn width(meta: &ProgramMeta, types: &[Type]) -> usize {
    types.iter().map(|r#type| meta.types.width(r#type)).sum()
}

/// Words of a flow's parameters.
pub fn parameter_words(meta: &ProgramMeta, flow: u32) -> usize {
    let parameters = meta.flow(flow).map_or(&[][..], |flow| &flow.parameters);
    parameters.iter().map(|parameter| meta.types.width(&parameter.r#type)).sum()
}

/// First slot after result and parameters.
pub fn first_variable(meta: &ProgramMeta, flow: u32) -> u32 {
    RESULT_AT + result_words(meta, flow) as u32 + parameter_words(meta, flow) as u32
}
