//! Surveys: after which queue each comes, by what, and the hidden flow that asks. What its lines mean is in `check/survey`;
//! how the arm of `served` comes to it in `check/queue`.

use lang_diagnostics::{Code, Diagnostic};
use lang_syntax::ast::{self, SurveyLineKind as Line};
use runtime_contract::channel::Channel;
use runtime_contract::survey::{Question, Survey};

use crate::check::{CheckedFlow, Checker, Region, clause_flow};
use crate::declare::wrong_kind;
use crate::hir;
use crate::problems::{Problems, offer_nearest};
use crate::project::{Def, Project, SurveyInfo};

/// By what somebody may be asked.
const CHANNELS: [Channel; 2] = [Channel::Voice, Channel::Sms];

/// Fills in the queues of surveys, and their channels. F0906 where a queue has two.
pub(crate) fn declare(project: &mut Project<'_>, problems: &mut Problems) {
    for id in 0..project.surveys.len() {
        let Some(info) = project.surveys.get(id) else { continue };
        let queue = queue_of(project, info, problems);
        let channels = channels(info.item, problems);
        let earlier = project.surveys.iter().find(|other| queue.is_some() && other.queue == queue);
        if let (Some(earlier), Some(queue)) = (earlier, queue.and_then(|queue| project.queues.get(queue as usize))) {
            let name = &queue.name.text;
            problems.give(
                Diagnostic::new(Code::TwoSurveysOnAQueue, info.name.span, format!("`{name}` has a survey already"))
                    .label(earlier.name.span, "the other one")
                    .help("put the questions of both into one, or give one of them to another queue"),
            );
        }
        if let Some(info) = project.surveys.get_mut(id) {
            (info.queue, info.channels) = (queue, channels);
        }
    }
}

fn queue_of(project: &Project<'_>, info: &SurveyInfo<'_>, problems: &mut Problems) -> Option<u32> {
    match project.find(info.module, &info.item.queue, "a queue", problems) {
        Def::Queue(queue) => Some(queue),
        Def::Broken => None,
        other => {
            problems.give(wrong_kind(&info.item.queue, other, "a queue"));
            None
        }
    }
}

/// `by voice, sms`; by voice where nothing is said.
fn channels(survey: &ast::Survey, problems: &mut Problems) -> Vec<Channel> {
    let mut written = survey.lines.iter().filter_map(|line| match &line.kind {
        Line::By(names) => Some((line.keyword, names)),
        _ => None,
    });
    let Some((keyword, names)) = written.next() else { return vec![Channel::Voice] };
    for (again, _) in written {
        crate::routing::twice(problems, again, keyword, "by");
    }
    let mut channels = Vec::new();
    for name in names {
        match CHANNELS.into_iter().find(|channel| channel.word() == name.text) {
            Some(channel) if channels.contains(&channel) => {
                let message = format!("`{}` stands here twice", name.text);
                let diagnostic = Diagnostic::new(Code::DuplicateName, name.span, message);
                problems.give(diagnostic.help("keep one of the two"));
            }
            Some(Channel::Voice) if !channels.is_empty() => {
                // When a message has failed, nobody is on the line any more.
                let diagnostic =
                    Diagnostic::new(Code::UnexpectedWord, name.span, "the line comes first: later nobody is on it");
                problems.give(diagnostic.help("`by voice, sms`"));
                channels.push(Channel::Voice);
            }
            Some(channel) => channels.push(channel),
            None => {
                let message = format!("no survey is held by `{}`", name.text);
                let diagnostic = Diagnostic::new(Code::UnknownName, name.span, message);
                problems.give(offer_nearest(diagnostic, &name.text, CHANNELS.map(Channel::word), "by {}"));
            }
        }
    }
    // Whatever was meant: nothing more is said of it.
    if channels.is_empty() { CHANNELS.to_vec() } else { channels }
}

/// All surveys. Their flows come behind those that are written, in the order of the surveys.
pub(crate) fn surveys(
    project: &Project<'_>,
    flows: &mut Vec<Option<CheckedFlow>>,
    problems: &mut Problems,
) -> Vec<hir::Survey> {
    let read = |info| {
        let (table, flow) = survey(project, info, flows.len() as u32, problems);
        flows.push(Some(flow));
        table
    };
    project.surveys.iter().map(read).collect()
}

fn survey(
    project: &Project<'_>,
    info: &SurveyInfo<'_>,
    flow: u32,
    problems: &mut Problems,
) -> (hir::Survey, CheckedFlow) {
    let module = project.modules.get(info.module).map_or("", |module| module.path);
    let name = format!("{module}.{}", info.name.text);
    let mut checker = Checker::new(project, info.module, problems);
    checker.region = Region::Survey;
    let index = project.surveys.iter().position(|other| std::ptr::eq(other, info)).unwrap_or(0);
    let (top, questions, kinds) = checker.survey(index as u32, info);
    let questions =
        questions.into_iter().map(|(name, ty)| Question { name, r#type: ty.present().lower() }).collect::<Vec<_>>();
    if questions.is_empty() && !is_partly_read(project, info) {
        let message = format!("the survey `{}` asks nothing", info.name.text);
        let diagnostic = Diagnostic::new(Code::NothingToHear, info.name.span, message);
        checker.problems.give(diagnostic.help("`question score 1..5 \"From 1 to 5, how was our service?\"`"));
    }
    let checked = clause_flow(checker, name.clone(), info.name.span, None, top);
    let (queue, channels) = (info.queue.unwrap_or(0), info.channels.clone());
    let table = Survey { name, place: Default::default(), queue, flow, channels, questions };
    (hir::Survey { table, kinds, span: info.name.span }, checked)
}

/// Some of its lines do not read: nobody knows what it asks.
fn is_partly_read(project: &Project<'_>, info: &SurveyInfo<'_>) -> bool {
    let unread = project.modules.get(info.module).map_or(&[][..], |module| &module.ast.unread);
    unread.iter().any(|part| part.item.is_some_and(|item| item.holds(info.name.span)))
}
