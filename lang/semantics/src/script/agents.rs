//! Agents and queues in a test: who is there with what skills, where the caller waits, who answers him.

use lang_diagnostics::{Code, Diagnostic};
use lang_syntax::ast;
use runtime_contract::script::{AgentState, Verb};
use runtime_contract::value::Value;

use super::Reader;
use crate::declare::{duration, whole, wrong_kind};
use crate::problems::offer_nearest;
use crate::project::Def;
use crate::ty::Ty;

impl Reader<'_, '_> {
    pub(super) fn agent(
        &mut self,
        agent: &ast::TextString,
        state: &ast::Name,
        skills: &[ast::AgentSkill],
    ) -> Option<Verb> {
        let name = self.agent_name(agent)?;
        let found = AgentState::ALL.into_iter().find(|known| known.name() == state.text);
        if found.is_none() {
            let message = format!("an agent is never `{}`", state.text);
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, state.span, message);
            let help = format!("agent \"{name}\" {{}}");
            self.problems.give(offer_nearest(diagnostic, &state.text, AgentState::ALL.map(AgentState::name), &help));
        }
        let known = self.agents.get(&name).cloned().unwrap_or_default();
        let skills = match skills {
            // What an agent can do, he still can when his state is another.
            [] => Some(known),
            skills => skills.iter().map(|skill| self.agent_skill(skill)).collect::<Option<Vec<_>>>(),
        };
        self.agents.insert(name.clone(), skills.clone().unwrap_or_default());
        Some(Verb::Agent { name, state: found?, skills: skills? })
    }

    fn agent_name(&mut self, agent: &ast::TextString) -> Option<String> {
        let name = agent.plain().filter(|name| !name.trim().is_empty());
        if name.is_none() {
            let diagnostic = Diagnostic::new(Code::BadLiteral, agent.span, "the name of an agent is written out");
            self.problems.give(diagnostic.help("`agent \"wang\" idle`"));
        }
        name
    }

    fn agent_skill(&mut self, written: &ast::AgentSkill) -> Option<(u32, i64)> {
        let path = &written.skill;
        let skill = match self.skill_named(path) {
            Def::Skill(skill) => skill,
            Def::Broken => return None,
            other => {
                self.problems.give(wrong_kind(path, other, "a skill"));
                return None;
            }
        };
        let info = self.project.skills.get(skill as usize)?;
        let name = &info.name.text;
        match (&written.level, info.levels) {
            (None, None) => Some((skill, 1)),
            (Some(level), None) => {
                let message = format!("`{name}` has no levels, an agent has it or not");
                let diagnostic = Diagnostic::new(Code::SkillWithoutLevel, level.span, message);
                self.problems.give(diagnostic.label(info.name.span, "declared here").help(format!("`{name}` alone")));
                None
            }
            (level, Some((low, high))) => {
                let number = level.as_ref().and_then(whole);
                if let Some(number) = number.filter(|number| (low..=high).contains(number)) {
                    return Some((skill, number));
                }
                let span = level.as_ref().map_or(path.span, |level| level.span);
                let message = format!("`{name}` has the levels {low} to {high}");
                let diagnostic = Diagnostic::new(Code::ExpectationImpossible, span, message);
                self.problems.give(diagnostic.help(format!("`{name} {high}`")));
                None
            }
        }
    }

    /// An agent's skills are the site's: a test names them as `strowger.yaml` does, whatever it uses.
    fn skill_named(&mut self, path: &ast::Path) -> Def {
        let words: Vec<&str> = path.names.iter().map(|name| name.text.as_str()).collect();
        if let (None, [word]) = (self.project.reach(self.module, &words), words.as_slice()) {
            let mut alike = self.project.skills.iter().enumerate().filter(|(_, info)| info.name.text == *word);
            if let (Some((id, _)), None) = (alike.next(), alike.next()) {
                return Def::Skill(id as u32);
            }
        }
        self.project.find(self.module, path, "a skill", self.problems)
    }

    pub(super) fn expect_queued(&mut self, path: &ast::Path, priority: Option<&ast::Expr>) -> Option<Verb> {
        let queue = match self.project.find(self.module, path, "a queue", self.problems) {
            Def::Queue(queue) => queue,
            Def::Broken => return None,
            other => {
                self.problems.give(wrong_kind(path, other, "a queue"));
                return None;
            }
        };
        let priority = match priority {
            None => None,
            Some(priority) => match self.constant(priority, &Ty::Int(None))? {
                Value::Int(priority) => Some(priority),
                _ => return None,
            },
        };
        Some(Verb::ExpectQueued { queue, priority })
    }

    /// One of whom a line before has spoken.
    fn known_agent(&mut self, agent: &ast::TextString) -> Option<String> {
        let name = self.agent_name(agent)?;
        if !self.agents.contains_key(&name) {
            let message = format!("this test has no agent `{name}`");
            let diagnostic = Diagnostic::new(Code::ExpectationImpossible, agent.span, message);
            let known: Vec<&str> = self.agents.keys().map(String::as_str).collect();
            self.problems.give(match crate::problems::nearest(&name, known.iter().copied()) {
                Some(_) => offer_nearest(diagnostic, &name, known, "expect agent \"{}\""),
                None => diagnostic.help(format!("`agent \"{name}\" idle` before the call")),
            });
            return None;
        }
        Some(name)
    }

    /// Which queue he served is not known before the test is played: its enum decides then.
    pub(super) fn agent_picks(&mut self, agent: &ast::TextString, variant: &ast::Name) -> Option<Verb> {
        let name = self.known_agent(agent)?;
        let asked = self.project.queues.iter().filter_map(|queue| match queue.served {
            Some(Ty::Enum(id)) => self.project.enums.get(id as usize),
            _ => None,
        });
        let known: Vec<&str> = asked.flat_map(|asked| asked.variants.iter().copied()).collect();
        if known.contains(&variant.text.as_str()) {
            return Some(Verb::AgentPicks { name, variant: variant.text.clone() });
        }
        let message = format!("no queue asks its agents for `{}`", variant.text);
        let diagnostic = Diagnostic::new(Code::ExpectationImpossible, variant.span, message);
        self.problems.give(match known.is_empty() {
            true => diagnostic.help("`wrap up 20s as Result` in the queue, where `Result` is an enum"),
            false => offer_nearest(diagnostic, &variant.text, known, &format!("agent \"{name}\" picks {{}}")),
        });
        None
    }

    pub(super) fn expect_agent(&mut self, agent: &ast::TextString, within: Option<&ast::Expr>) -> Option<Verb> {
        let name = self.known_agent(agent)?;
        let within_ms = within.map(|within| duration(within, "expect agent \"wang\" within 2s", self.problems));
        match within_ms {
            Some(None) => None,
            within_ms => Some(Verb::ExpectAgent { name, within_ms: within_ms.flatten() }),
        }
    }
}
