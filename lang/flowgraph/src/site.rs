//! The mailbox of a site: which values go out with its request and which come back, by the request's own
//! tables. Builder and verifier read it here, so that they cannot differ.

use runtime_contract::program::{ProgramMeta, Prompt, SiteKind};
use runtime_contract::request::{self, PromptUse, Prompts, Request};
use runtime_contract::types::Type;

/// Types of a site's values in the mailbox, each list from the mailbox's first slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mailbox {
    pub arguments: Vec<Type>,
    /// By index of the outcome.
    pub payloads: Vec<Option<Type>>,
}

/// `prompts` are those that the request's indices mean; `is_attempt` says it of the site's own flow. `None` when the request names a prompt, service, operation or flow that is not there, or when the values of
/// its prompts do not lie one after the other.
pub fn mailbox(meta: &ProgramMeta, prompts: &[Prompt], is_attempt: bool, kind: &SiteKind) -> Option<Mailbox> {
    let request = match kind {
        SiteKind::Run { flow } => {
            let callee = meta.flow(*flow)?;
            let outcomes = match &callee.result {
                Some(Type::Enum(id)) => meta.types.enums.get(*id as usize)?.variants.len(),
                _ => 1,
            };
            let arguments = callee.parameters.iter().map(|parameter| parameter.r#type.clone()).collect();
            let mut payloads = vec![callee.result.clone(); outcomes];
            // `hangup`
            payloads.extend(is_attempt.then_some(None));
            return Some(Mailbox { arguments, payloads });
        }
        SiteKind::Request(request) => request,
    };
    let mut payloads = vec![None; request.outcomes() as usize];
    let mut first_payload = |r#type: Option<Type>| {
        if let Some(payload) = payloads.first_mut() {
            *payload = r#type;
        }
    };
    let arguments = match request {
        Request::Answer
        | Request::Reject(_)
        | Request::Recording { .. }
        | Request::HangUp
        | Request::OpenCase(_)
        | Request::OfferCallback { .. } => Vec::new(),
        Request::Survey { survey } => {
            meta.surveys.get(*survey as usize)?;
            Vec::new()
        }
        Request::SurveyAnswer { survey, question } => {
            let survey = meta.surveys.get(*survey as usize)?;
            vec![survey.questions.get(*question as usize)?.r#type.clone()]
        }
        Request::Queue { queue } => {
            let queue = meta.queues.get(*queue as usize)?;
            first_payload(queue.wrap_up_as.map(Type::Enum));
            queue.parameters.iter().map(|parameter| parameter.r#type.clone()).collect()
        }
        Request::Dial(dial) => [Type::Phone].into_iter().chain(dial.from.then_some(Type::Phone)).collect(),
        Request::Start { cadence } => {
            let cadence = meta.cadences.get(*cadence as usize)?;
            cadence.parameters.iter().map(|parameter| parameter.r#type.clone()).collect()
        }
        Request::Wait => vec![Type::Duration],
        Request::Connect(connect) => {
            [connect.to.value()].into_iter().chain(connect.from.then_some(Type::Phone)).collect()
        }
        Request::Transfer { to } => vec![to.value()],
        Request::Note { r#type, .. } => vec![r#type.clone()],
        Request::Consent(consent) => {
            meta.types.records.get(consent.permission as usize)?;
            first_payload(Some(Type::Record(consent.permission)));
            Vec::new()
        }
        Request::Send(message) => {
            let mut arguments = prompt_arguments(meta, prompts, &message.text)?;
            arguments.extend(message.to.then(|| message.channel.address()));
            arguments
        }
        Request::Play(played) => prompt_arguments(meta, prompts, played)?,
        Request::Menu(menu) => {
            for (payload, choice) in payloads.iter_mut().zip(&menu.choices) {
                *payload = request::Menu::span(choice).map(|_| Type::Digits);
            }
            prompt_arguments(meta, prompts, &menu.prompts)?
        }
        Request::Ask(ask) => {
            first_payload(Some(match ask.private {
                true => Type::Private(Box::new(ask.kind.value())),
                false => ask.kind.value(),
            }));
            prompt_arguments(meta, prompts, &ask.prompts)?
        }
        Request::Record(record) => {
            first_payload(Some(Type::Recording));
            prompt_arguments(meta, prompts, &record.prompts)?
        }
        Request::Service(call) => {
            let service = meta.services.get(call.service as usize)?;
            let operation = service.operations.get(call.operation as usize)?;
            first_payload(operation.result.clone());
            operation.parameters.iter().map(|parameter| parameter.r#type.clone()).collect()
        }
    };
    Some(Mailbox { arguments, payloads })
}

fn prompt_arguments(meta: &ProgramMeta, known: &[Prompt], prompts: &Prompts) -> Option<Vec<Type>> {
    let mut arguments: Vec<Type> = Vec::new();
    let mut at_next = 0;
    for item in &prompts.items {
        let (at, types) = match item {
            PromptUse::Prompt { prompt, arguments_at } => {
                (*arguments_at, known.get(*prompt as usize)?.arguments.clone())
            }
            PromptUse::Recording { at } => (*at, vec![Type::Recording]),
        };
        // A prompt without holes has no place in the mailbox, so its position says nothing.
        if !types.is_empty() && at as usize != at_next {
            return None;
        }
        at_next += types.iter().map(|r#type| meta.types.width(r#type)).sum::<usize>();
        arguments.extend(types);
    }
    Some(arguments)
}
