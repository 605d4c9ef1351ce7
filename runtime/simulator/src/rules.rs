//! Actions of rules in a test, beside the call that the caller makes: what they do is told like what he hears, and where
//! he is does not change.

use std::collections::BTreeMap;

use runtime_contract::SiteId;
use runtime_contract::record::CallId;
use runtime_exchange::{NotFired, TraceEvent, TraceWhat};
use runtime_session::Trace;

use crate::plant::{Plant, refusal_text};
use crate::transcript::What;

/// Those that run, and where each is.
pub(crate) type Running = BTreeMap<CallId, Option<SiteId>>;

impl Plant {
    /// True when the event is of a rule, and told.
    pub fn trace_rule(&mut self, event: &TraceEvent) -> bool {
        let head = |rule: u32| {
            event.program.meta().rules.get(rule as usize).map_or_else(String::new, |rule| rule.head.clone())
        };
        match event.what {
            TraceWhat::Fired { rule } => {
                self.rules.insert(event.call, None);
                self.write(What::Rule { head: head(rule) });
            }
            TraceWhat::NotFired { rule, why } => {
                let why = match why {
                    NotFired::NumberWithheld => "the caller's number is withheld",
                    NotFired::CalledByUs => "we have called him",
                    NotFired::Refused(why) => refusal_text(why),
                };
                self.write(What::RuleNot { head: head(rule), why: why.to_owned() });
            }
            TraceWhat::Session(Trace::At(site)) if self.rules.contains_key(&event.call) => {
                self.rule_at(event.call, site)
            }
            TraceWhat::Ended => return self.rules.remove(&event.call).is_some(),
            _ => return false,
        }
        true
    }

    /// The rule itself was told of; flows that it runs are told as steps.
    fn rule_at(&mut self, call: CallId, site: SiteId) {
        let place = |site: SiteId| {
            let info = self.meta().site(site)?;
            let is_action = self.meta().rules.iter().any(|rule| rule.flow == info.flow);
            let flow = self.meta().flow(info.flow).filter(|_| !is_action)?;
            Some((flow.name.clone(), info.step.clone()))
        };
        let before = self.rules.get(&call).copied().flatten().and_then(place);
        let after = place(site);
        self.rules.insert(call, Some(site));
        if after != before
            && let Some((flow, step)) = after
        {
            self.write(What::Step { flow, step });
        }
    }
}
