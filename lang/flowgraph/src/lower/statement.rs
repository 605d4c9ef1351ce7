//! Statements, one after the other.

use lang_diagnostics::Span;
use lang_semantics::hir::{
    Block, Connect, Dial, Expr, ExprKind, Go, Hangup, Message, OutcomeArm, QueueCall, Run, ServiceCall, Start,
    Statement, StatementKind, Transfer,
};
use runtime_contract::host::FaultKind;
use runtime_contract::limits::WAIT_MS_MAX;
use runtime_contract::request::{self, Kind, Request};
use runtime_contract::types::Type;

use super::flow::{Counter, FlowWriter, first_span};
use crate::graph::{Arithmetic, Condition, Word};

impl FlowWriter<'_> {
    pub fn block(&mut self, block: &Block) {
        for statement in &block.statements {
            self.statement(statement);
            // Behind a flow that never comes back, what an operator wrote for safety.
            if self.graph.is_ended() {
                break;
            }
        }
    }

    fn statement(&mut self, statement: &Statement) {
        let keyword = statement.keyword;
        let label = |kind: Kind| kind.row().name;
        match &statement.kind {
            StatementKind::Answer => self.request(Request::Answer, label(Kind::Answer), &[], keyword),
            StatementKind::Reject(reason) => {
                self.request(Request::Reject(*reason), label(Kind::Reject), &[], keyword);
            }
            StatementKind::HangUp => self.request(Request::HangUp, label(Kind::HangUp), &[], keyword),
            StatementKind::Play(prompts) => {
                let (prompts, words) = self.prompts(prompts);
                self.request(Request::Play(prompts), label(Kind::Play), &words, keyword);
            }
            StatementKind::Recording { on } => {
                self.request(Request::Recording { on: *on }, label(Kind::Recording), &[], keyword);
            }
            StatementKind::Wait(duration) => {
                let ms = self.wait_ms(duration);
                self.request(Request::Wait, label(Kind::Wait), &[ms], keyword);
            }
            StatementKind::Note { key, value } => {
                let words = self.value(value);
                let request = Request::Note { key: key.clone(), r#type: value.ty.clone() };
                self.request(request, &format!("{} {key}", label(Kind::Note)), &words, keyword);
            }
            StatementKind::Send(message) => self.send(message, keyword),
            StatementKind::OpenCase(case) => {
                let label = format!("{} {}", label(Kind::OpenCase), case.kind);
                self.request(Request::OpenCase(case.clone()), &label, &[], keyword);
            }
            StatementKind::Menu(menu) => self.menu(menu, keyword),
            StatementKind::Ask(ask) => self.ask(ask, keyword),
            StatementKind::Record(record) => self.record(record, keyword),
            StatementKind::Service(call) => self.service(call, statement),
            StatementKind::Connect(connect) => self.connect(connect, keyword),
            StatementKind::Transfer(transfer) => self.transfer(transfer, keyword),
            StatementKind::Queue(call) => self.queue(call, keyword),
            StatementKind::OfferCallback(key) => {
                self.request(Request::OfferCallback { key: *key }, label(Kind::OfferCallback), &[], keyword);
            }
            StatementKind::Survey { survey, held } => self.survey(*survey, held, keyword),
            StatementKind::SurveyAnswer { survey, question, answer } => {
                self.survey_answer(*survey, *question, answer, keyword);
            }
            StatementKind::Dial(dial) => self.dial(dial, keyword),
            StatementKind::Start(start) => self.start(start, keyword),
            StatementKind::Run(run) => self.run(run, statement),
            StatementKind::SetLanguage(language) => {
                let word = self.word(language);
                self.graph.set_language(word);
            }
            StatementKind::Let { local, value } => {
                let words = self.value(value);
                self.store_local(*local, &words);
            }
            StatementKind::If { condition, then, otherwise } => self.choose(statement, condition, [then, otherwise]),
            StatementKind::Match(choice) => self.match_value(choice),
            StatementKind::Loop(found) => self.rounds(found, statement),
            StatementKind::Go(go) => self.go(go, statement),
            StatementKind::Return(value) => self.return_value(value.as_ref()),
            StatementKind::Again(dialogue) => self.again(*dialogue),
            StatementKind::Broken => self.mistake("a statement with a problem".to_owned()),
        }
    }

    /// What is longer than `wait` allows faults; a time that is over waits for nothing.
    fn wait_ms(&mut self, duration: &Expr) -> Word {
        let ms = self.word(duration);
        if let ExprKind::Moment(_) = duration.kind {
            return ms;
        }
        let (least, most) = (self.graph.integer(0), self.graph.integer(WAIT_MS_MAX));
        let (fits, place) = (self.graph.compare(Condition::LessOrEqual, ms, most), self.fault_place(duration.span));
        self.graph.require(fits, FaultKind::Overflow, place);
        let below = self.graph.compare(Condition::Less, ms, least);
        self.graph.select(below, least, ms)
    }

    fn choose(&mut self, statement: &Statement, condition: &Expr, [then, otherwise]: [&Block; 2]) {
        let (yes, no) = match condition.kind {
            // No call goes the other way: what stands there is in no graph.
            ExprKind::Bool(true) => {
                let never = self.graph.segment(self.flow);
                (self.graph.here(), self.graph.entry(never))
            }
            _ => {
                let (yes, no) = (self.graph.block(), self.graph.block());
                self.condition(condition, yes, no);
                (yes, no)
            }
        };
        let mut ends = Vec::new();
        for (point, block, label) in [(yes, then, ""), (no, otherwise, "otherwise")] {
            self.graph.go_to(point);
            // `else if`: its own arms say all.
            let is_chain = matches!(&block.statements[..], [Statement { kind: StatementKind::If { .. }, .. }]);
            if point == yes || !is_chain {
                self.mark_arm(first_span(block).unwrap_or(statement.keyword), block, label);
            }
            self.block(block);
            self.end_branch(&mut ends);
        }
        self.join(&ends);
    }

    fn go(&mut self, go: &Go, statement: &Statement) {
        let Some(bound) = &go.bound else { return self.leave_for(go) };
        let counter = self.counter(Counter::Go(bound.counter));
        let used = self.graph.load(counter);
        let (times, one) = (self.graph.integer(bound.times.into()), self.graph.integer(1));
        let allowed = self.graph.compare(Condition::Less, used, times);
        let (yes, no) = (self.graph.block(), self.graph.block());
        self.graph.branch(allowed, yes, no);
        self.graph.go_to(yes);
        self.mark_arm(statement.keyword, &Block::default(), "go");
        let place = self.fault_place(statement.keyword);
        let next = self.graph.arithmetic(Arithmetic::Add, used, one, place);
        self.graph.store(counter, next);
        self.leave_for(go);
        self.graph.go_to(no);
        self.mark_arm(first_span(&bound.otherwise).unwrap_or(bound.times_span), &bound.otherwise, "no more times");
        self.block(&bound.otherwise);
    }

    fn leave_for(&mut self, go: &Go) {
        // All arguments are computed before any parameter is filled: a step may hand its own on in another order.
        let mut filled = Vec::new();
        for argument in &go.arguments {
            filled.push((argument.index, self.value(&argument.value)));
        }
        let step = go.step.0 as usize;
        let parameters = self.tree.steps.get(step).map_or(&[][..], |step| &step.parameters);
        for (index, words) in filled {
            match parameters.get(index as usize) {
                Some(local) => self.store_local(*local, &words),
                None => self.mistake(format!("step {step} has no parameter {index}")),
            }
        }
        match self.steps.get(step) {
            Some(segment) => self.graph.continue_in(*segment),
            None => self.mistake(format!("step {step} is not declared")),
        }
    }

    fn return_value(&mut self, value: Option<&Expr>) {
        let words = value.map_or_else(Vec::new, |value| self.value(value));
        let tag = match (value.map(|value| &value.ty), words.first()) {
            (Some(Type::Enum(_)), Some(variant)) => *variant,
            _ => self.graph.constant(0),
        };
        self.graph.return_with(tag, &words);
    }

    fn service(&mut self, call: &ServiceCall, statement: &Statement) {
        let arguments = self.arguments(&call.arguments);
        let service = self.program.services.get(call.service as usize);
        let operation = service.and_then(|service| service.operations.get(call.operation as usize));
        let label = match (service, operation) {
            (Some(service), Some(operation)) => format!("{}.{}", service.name, operation.name),
            _ => "service".to_owned(),
        };
        let width = operation.and_then(|operation| operation.result.as_ref());
        let width = width.map_or(0, |result| self.program.types.width(result));
        let request = Request::Service(request::ServiceCall { service: call.service, operation: call.operation });
        self.request(request, &label, &arguments, statement.keyword);
        let outcome = self.graph.outcome();
        let (failed, ok) = (self.graph.block(), self.graph.block());
        self.graph.branch(outcome, failed, ok);
        let mut ends = Vec::new();
        self.graph.go_to(ok);
        self.mark_arm(first_span(&call.ok).unwrap_or(statement.keyword), &call.ok, "ok");
        if let Some(result) = call.result {
            let words = self.payload_words(width);
            self.store_local(result, &words);
        }
        self.block(&call.ok);
        self.end_branch(&mut ends);
        self.graph.go_to(failed);
        self.mark_arm(first_span(&call.failed).unwrap_or(statement.keyword), &call.failed, "failed");
        self.block(&call.failed);
        self.end_branch(&mut ends);
        self.join(&ends);
    }

    fn connect(&mut self, connect: &Connect, keyword: Span) {
        let mut words = self.value(&connect.to.value);
        if let Some(from) = &connect.from {
            words.extend(self.value(from));
        }
        let (to, from, ring_ms) = (connect.to.kind, connect.from.is_some(), connect.ring_ms);
        let request = Request::Connect(request::Connect { to, from, ring_ms });
        self.request(request, Kind::Connect.row().name, &words, keyword);
        self.outcome_arms(&connect.arms, Kind::Connect.row().outcomes, keyword, |_, _| {});
    }

    fn queue(&mut self, call: &QueueCall, keyword: Span) {
        let words = self.arguments(&call.arguments);
        let table = self.program.queues.get(call.queue as usize).map(|queue| &queue.table);
        let name = table.map_or("?", |table| table.name.rsplit('.').next().unwrap_or("?"));
        let label = format!("{} {name}", Kind::Queue.row().name);
        self.request(Request::Queue { queue: call.queue }, &label, &words, keyword);
        let served = table.and_then(|table| table.wrap_up_as).map(Type::Enum);
        self.outcome_arms(&call.arms, Kind::Queue.row().outcomes, keyword, |writer, arm| {
            if let (Some(result), Some(of), true) = (call.result, &served, arm.takes.contains(&0)) {
                let words = writer.payload_words(writer.program.types.width(of));
                writer.store_local(result, &words);
            }
        });
    }

    /// The arms of a request whose outcome has just come in; `begin` stands before the statements of each. An outcome
    /// without an arm cannot happen: it goes the way of the last.
    fn outcome_arms(
        &mut self,
        arms: &[OutcomeArm],
        outcomes: &'static [&'static str],
        keyword: Span,
        begin: impl Fn(&mut Self, &OutcomeArm),
    ) {
        let outcome = self.graph.outcome();
        let starts: Vec<_> = arms.iter().map(|_| self.graph.block()).collect();
        let Some(last) = starts.last().copied() else {
            return self.mistake("a request has no arms".to_owned());
        };
        let arm_of = |outcome| arms.iter().position(|arm| arm.takes.contains(&outcome));
        let ways = 0..outcomes.len() as u32;
        let ways: Vec<_> = ways.map(|at| arm_of(at).and_then(|arm| starts.get(arm).copied()).unwrap_or(last)).collect();
        if let [table @ .., default] = &ways[..] {
            self.graph.switch(outcome, table, *default);
        }
        let mut ends = Vec::new();
        for (start, arm) in starts.into_iter().zip(arms) {
            self.graph.go_to(start);
            let good = arm.takes.first().and_then(|first| outcomes.get(*first as usize)).copied();
            let label = if arm.span == keyword { good.unwrap_or_default() } else { "" };
            self.mark_arm(arm.span, &arm.block, label);
            begin(self, arm);
            self.block(&arm.block);
            self.end_branch(&mut ends);
        }
        self.join(&ends);
    }

    fn transfer(&mut self, transfer: &Transfer, keyword: Span) {
        let words = self.value(&transfer.to.value);
        let request = Request::Transfer { to: transfer.to.kind };
        self.request(request, Kind::Transfer.row().name, &words, keyword);
        self.mark_arm(transfer.failed_span, &transfer.failed, "failed");
        self.block(&transfer.failed);
    }

    fn send(&mut self, message: &Message, keyword: Span) {
        let (text, mut words) = self.prompts(&message.text);
        if let Some(to) = &message.to {
            words.extend(self.value(to));
        }
        let channel = message.channel.clone();
        let label = match &channel {
            request::Channel::Notify(who) => format!("{} {who}", Kind::Notify.row().name),
            channel => format!("{} {}", Kind::Send.row().name, channel.name()),
        };
        let request = Request::Send(request::Message { channel, to: message.to.is_some(), text });
        self.request(request, &label, &words, keyword);
    }

    fn dial(&mut self, dial: &Dial, keyword: Span) {
        let mut words = self.value(&dial.number);
        if let Some(from) = &dial.from {
            words.extend(self.value(from));
        }
        let row = request::Dial::kind(dial.by).row();
        let request = request::Dial { by: dial.by, from: dial.from.is_some(), ring_ms: dial.ring_ms };
        let request = Request::Dial(request);
        self.request(request, row.name, &words, keyword);
        self.outcome_arms(&dial.arms, row.outcomes, keyword, |_, _| {});
    }

    /// No arm of the text: whether it is held is nobody's to write.
    fn survey(&mut self, survey: u32, held: &Block, keyword: Span) {
        let table = self.program.surveys.get(survey as usize).map(|survey| &survey.table);
        let name = table.map_or("?", |table| table.name.rsplit('.').next().unwrap_or("?"));
        let label = format!("{} {name}", Kind::Survey.row().name);
        self.request(Request::Survey { survey }, &label, &[], keyword);
        let outcome = self.graph.outcome();
        let (left_out, here) = (self.graph.block(), self.graph.block());
        self.graph.branch(outcome, left_out, here);
        self.graph.go_to(here);
        self.block(held);
        let mut ends = Vec::new();
        self.end_branch(&mut ends);
        self.graph.go_to(left_out);
        self.end_branch(&mut ends);
        self.join(&ends);
    }

    /// One that was given is kept.
    fn survey_answer(&mut self, survey: u32, question: u32, answer: &Expr, keyword: Span) {
        let words = self.value(answer);
        let Some((is_given, value)) = words.split_first() else {
            return self.mistake("an answer without a value".to_owned());
        };
        let (given, skipped) = (self.graph.block(), self.graph.block());
        self.graph.branch(*is_given, given, skipped);
        self.graph.go_to(given);
        let table = self.program.surveys.get(survey as usize).map(|survey| &survey.table);
        let name = table.and_then(|table| table.questions.get(question as usize)).map_or("?", |own| own.name.as_str());
        let label = format!("{} {name}", Kind::SurveyAnswer.row().name);
        self.request(Request::SurveyAnswer { survey, question }, &label, value, keyword);
        let mut ends = Vec::new();
        self.end_branch(&mut ends);
        self.graph.go_to(skipped);
        self.end_branch(&mut ends);
        self.join(&ends);
    }

    fn start(&mut self, start: &Start, keyword: Span) {
        let words = self.arguments(&start.arguments);
        let table = self.program.cadences.get(start.cadence as usize).map(|cadence| &cadence.table);
        let name = table.map_or("?", |table| table.name.rsplit('.').next().unwrap_or("?"));
        let label = format!("{} {name}", Kind::Start.row().name);
        self.request(Request::Start { cadence: start.cadence }, &label, &words, keyword);
    }

    fn run(&mut self, run: &Run, statement: &Statement) {
        let arguments = self.arguments(&run.arguments);
        self.call_flow(run.flow, &arguments, statement.keyword);
        if let Some(ways) = &run.hangup {
            return self.ways_of_run(run, ways, statement);
        }
        if run.returns == Some(false) {
            return self.graph.end_block();
        }
        self.store_result(run);
    }

    fn store_result(&mut self, run: &Run) {
        if let Some(result) = run.result {
            let width = self.result_of(run.flow).map_or(0, |result| self.program.types.width(result));
            let words = self.payload_words(width);
            self.store_local(result, &words);
        }
    }

    fn result_of(&self, flow: u32) -> Option<&Type> {
        self.program.flows.get(flow as usize).and_then(|flow| flow.result.as_ref())
    }

    /// The last outcome of a `run` in an attempt is `hangup`.
    fn ways_of_run(&mut self, run: &Run, ways: &Hangup, statement: &Statement) {
        let variants = match self.result_of(run.flow) {
            Some(Type::Enum(id)) => self.program.types.enums.get(*id as usize).map_or(1, |found| found.variants.len()),
            _ => 1,
        };
        let outcome = self.graph.outcome();
        let hangup = self.graph.integer(variants as i64);
        let is_gone = self.graph.compare(Condition::Equal, outcome, hangup);
        let (gone, returned) = (self.graph.block(), self.graph.block());
        self.graph.branch(is_gone, gone, returned);
        let mut ends = Vec::new();
        self.graph.go_to(returned);
        self.store_result(run);
        self.block(&ways.returned);
        self.end_branch(&mut ends);
        self.graph.go_to(gone);
        self.mark_arm(first_span(&ways.gone).unwrap_or(statement.keyword), &ways.gone, "hangup");
        self.block(&ways.gone);
        self.end_branch(&mut ends);
        self.join(&ends);
    }
}
