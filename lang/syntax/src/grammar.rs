//! The rules of `grammar/flow.pest`, and which of them reads a line of which block.

use pest::Parser;
use pest::iterators::Pair;

#[derive(pest_derive::Parser)]
#[grammar = "../../../grammar/flow.pest"]
struct FlowParser;

/// What the lines of a block are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Context {
    File,
    Enum,
    Type,
    Service,
    Hours,
    Prompt,
    Flow,
    Statements,
    Arms,
    ValueArms,
    Dialogue,
    Queue,
    Cadence,
    Survey,
    Test,
}

impl Context {
    pub const BLOCKS: [Context; 14] = [
        Context::Statements,
        Context::Flow,
        Context::Dialogue,
        Context::Arms,
        Context::ValueArms,
        Context::Enum,
        Context::Type,
        Context::Service,
        Context::Hours,
        Context::Prompt,
        Context::Queue,
        Context::Cadence,
        Context::Survey,
        Context::Test,
    ];

    /// The rule of one line.
    pub fn line_rule(self) -> Rule {
        match self {
            Context::File => Rule::one_file_line,
            Context::Enum => Rule::one_enum_line,
            Context::Type => Rule::one_type_line,
            Context::Service => Rule::one_service_line,
            Context::Hours => Rule::one_hours_line,
            Context::Prompt => Rule::one_prompt_line,
            Context::Flow => Rule::one_flow_line,
            Context::Statements => Rule::one_statement,
            Context::Arms => Rule::one_arm,
            Context::ValueArms => Rule::one_value_arm,
            Context::Dialogue => Rule::one_dialogue_line,
            Context::Queue => Rule::one_queue_line,
            Context::Cadence => Rule::one_cadence_line,
            Context::Survey => Rule::one_survey_line,
            Context::Test => Rule::one_test_line,
        }
    }

    /// What the lines of a block are whose head does not read but speaks of `flow`, `menu` …; the last word counts.
    pub fn of_words(head: &str) -> Option<Context> {
        let words = head.split(|sign: char| !sign.is_alphanumeric() && sign != '_');
        let mut contexts = words.filter_map(|word| {
            Some(match word {
                "flow" => Context::Flow,
                "enum" => Context::Enum,
                "type" => Context::Type,
                "service" => Context::Service,
                "hours" => Context::Hours,
                "prompt" => Context::Prompt,
                "cadence" => Context::Cadence,
                "survey" => Context::Survey,
                "test" => Context::Test,
                "menu" | "ask" | "record" => Context::Dialogue,
                "match" | "connect" | "transfer" | "dial" | "message" => Context::Arms,
                "step" | "if" | "unless" | "repeat" | "for" | "finally" | "fault" => Context::Statements,
                _ => return None,
            })
        });
        contexts.next_back()
    }

    /// What the lines of the block are that `rule` opens.
    pub fn of_block(rule: Rule) -> Option<Context> {
        Some(match rule {
            Rule::enum_body => Context::Enum,
            Rule::type_body => Context::Type,
            Rule::service_body => Context::Service,
            Rule::hours_body => Context::Hours,
            Rule::prompt_body => Context::Prompt,
            Rule::flow_body => Context::Flow,
            Rule::block => Context::Statements,
            Rule::arms => Context::Arms,
            Rule::value_arms => Context::ValueArms,
            Rule::dialogue => Context::Dialogue,
            Rule::queue_body => Context::Queue,
            Rule::cadence_body => Context::Cadence,
            Rule::survey_body => Context::Survey,
            Rule::test_body => Context::Test,
            _ => return None,
        })
    }
}

/// Reads the whole of `text` by `rule`. The error is the byte at which the furthest try failed.
pub(crate) fn parse_all(rule: Rule, text: &str) -> Result<Pair<'_, Rule>, usize> {
    match FlowParser::parse(rule, text) {
        Ok(mut pairs) => pairs.next().ok_or(0),
        Err(error) => Err(match error.location {
            pest::error::InputLocation::Pos(at) => at,
            pest::error::InputLocation::Span((start, _)) => start,
        }),
    }
}
