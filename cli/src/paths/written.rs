//! Scripts as people and flow files write them: the lines of a `test` block, and the `use` lines that they need.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use runtime_contract::cadence::Permission;
use runtime_contract::calendar::local_text;
use runtime_contract::channel::Channel;
use runtime_contract::program::ProgramMeta;
use runtime_contract::script::{Delivery, Given, TestScript, Verb};
use runtime_contract::types::Field;
use runtime_contract::value::Value;
use runtime_contract::written::{self, Written};
use runtime_contract::{Time, Type};

/// Names that lines use, by the module that declares them.
pub type Uses = BTreeMap<String, BTreeSet<String>>;

/// In which times are written.
const ZONE: &str = "UTC";

pub struct Lines<'l> {
    meta: &'l ProgramMeta,
    /// By service, the module that declares it.
    services: &'l BTreeMap<String, String>,
    pub uses: Uses,
}

impl<'l> Lines<'l> {
    pub fn new(meta: &'l ProgramMeta, services: &'l BTreeMap<String, String>) -> Lines<'l> {
        Lines { meta, services, uses: Uses::new() }
    }

    /// The lines inside the block; `None` where one holds a value that cannot be written.
    pub fn of(&mut self, script: &TestScript) -> Option<Vec<String>> {
        let at = local_text(script.at, &script.zone);
        let at = at.get(..16).unwrap_or(&at);
        let mut lines = vec![format!("at {at} in {}", quoted(&script.zone))];
        for (_, verb) in &script.lines {
            lines.push(self.line(verb)?);
        }
        Some(lines)
    }

    /// The whole block.
    pub fn block(&mut self, script: &TestScript) -> Option<String> {
        let lines = self.of(script)?;
        let lines: String = lines.iter().map(|line| format!("    {line}\n")).collect();
        Some(format!("test {} {{\n{lines}}}\n", quoted(&script.name)))
    }

    fn line(&mut self, verb: &Verb) -> Option<String> {
        Some(match verb {
            Verb::Given { service, operation, answer } => {
                let meta = self.meta;
                let service = meta.services.get(*service as usize)?;
                let operation = service.operations.get(*operation as usize)?;
                self.use_name(self.services.get(&service.name).cloned(), &service.name);
                let answer = match (answer, &operation.result) {
                    (Given::Failed, _) => "failed".to_owned(),
                    (Given::Ok(Some(value)), Some(r#type)) => self.value(r#type, value)?,
                    (Given::Ok(_), _) => "none".to_owned(),
                };
                format!("given {}.{} => {answer}", service.name, operation.name)
            }
            Verb::QueueFull { queue } => {
                let meta = self.meta;
                format!("given {} => full", self.item(&meta.queues.get(*queue as usize)?.name)?)
            }
            Verb::Call { channel, from, to } => {
                let from = from.as_deref().map_or("none".to_owned(), quoted);
                let (verb, is_number) = match channel {
                    Channel::Voice => ("call", to.starts_with('+')),
                    written => (written.word(), true),
                };
                let extension = if is_number { "" } else { "extension " };
                format!("{verb} from {from} to {extension}{}", quoted(to))
            }
            Verb::Hears(hears) => match &hears.language {
                Some(tag) => format!("hears {tag} {}", quoted(hears.plain()?)),
                None => format!("hears {}", quoted(hears.plain()?)),
            },
            Verb::Press(keys) => format!("press {keys}"),
            Verb::Says(words) => format!("says {}", quoted(words)),
            Verb::DialGives(sides) => {
                let names: Vec<&str> = sides.iter().map(|side| side.name()).collect();
                format!("dial gives {}", names.join(", "))
            }
            Verb::MessageGives(given) => format!("message gives {}", deliveries(given)),
            Verb::SendGives(given) => format!("send gives {}", deliveries(given)),
            Verb::Wait { ms } => format!("wait {}", self.plain(Written::Duration, *ms, 0)?),
            Verb::HangUp => "hang up".to_owned(),
            Verb::ExpectNote { key, r#type, value } => format!("expect note {key} = {}", self.value(r#type, value)?),
            Verb::ExpectStep { step, .. } => format!("expect step {step}"),
            Verb::ExpectSent { channel, to, text } => {
                let to = to.as_deref().map_or_else(String::new, |to| format!(" to {}", quoted(to)));
                let text = text.as_ref().map(|text| text.plain().map(quoted));
                let text = text.map_or(Some(String::new()), |text| Some(format!(" {}", text?)))?;
                format!("expect sent {channel}{to}{text}")
            }
            Verb::ExpectCase { kind, priority } => {
                let priority = priority.map_or_else(String::new, |priority| format!(" priority {}", priority.name()));
                format!("expect case {kind}{priority}")
            }
            Verb::ExpectEnd => "expect end".to_owned(),
            Verb::Agent { name, state, skills } => {
                let skill = |(skill, level): &(u32, i64)| {
                    let skill = self.meta.skills.get(*skill as usize)?;
                    let name = last_word(&skill.name);
                    Some(if skill.levels.is_some() { format!("{name} {level}") } else { name.to_owned() })
                };
                let skills: Vec<String> = skills.iter().map(skill).collect::<Option<_>>()?;
                let with = if skills.is_empty() { "" } else { " with " };
                format!("agent {} {}{with}{}", quoted(name), state.name(), skills.join(", "))
            }
            Verb::AgentPicks { name, variant } => format!("agent {} picks {variant}", quoted(name)),
            Verb::ExpectQueued { queue, .. } => {
                let meta = self.meta;
                format!("expect queued in {}", self.item(&meta.queues.get(*queue as usize)?.name)?)
            }
            Verb::Start { cadence, arguments } => {
                let meta = self.meta;
                let table = meta.cadences.get(*cadence as usize)?;
                let values = table.parameters.iter().zip(arguments);
                let values: Vec<String> =
                    values.map(|(own, value)| self.value(&own.r#type, value)).collect::<Option<_>>()?;
                format!("start {}({})", self.item(&table.name)?, values.join(", "))
            }
            Verb::ExpectAttempt { cadence, attempt, .. } => {
                format!("expect attempt {attempt}{}", self.in_cadence(*cadence)?)
            }
            Verb::ExpectStopped { cadence, disposition } => {
                format!("expect stopped {disposition}{}", self.in_cadence(*cadence)?)
            }
            Verb::ExpectAgent { name, .. } => format!("expect agent {}", quoted(name)),
            // Nobody looks for what is answered.
            Verb::ExpectAnswer { .. } => return None,
        })
    }

    /// ` in NAME`, where a cadence is named.
    fn in_cadence(&mut self, cadence: Option<u32>) -> Option<String> {
        let Some(cadence) = cadence else { return Some(String::new()) };
        let meta = self.meta;
        let name = self.item(&meta.cadences.get(cadence as usize)?.name)?;
        Some(format!(" in {name}"))
    }

    fn use_name(&mut self, module: Option<String>, name: &str) {
        if let Some(module) = module {
            self.uses.entry(module).or_default().insert(name.to_owned());
        }
    }

    /// The name of `module.name`, which the file sees.
    fn item(&mut self, name: &str) -> Option<String> {
        let (module, name) = name.rsplit_once('.')?;
        self.use_name(Some(module.to_owned()), name);
        Some(name.to_owned())
    }

    fn plain(&self, kind: Written, first: i64, second: u64) -> Option<String> {
        written::text(self.meta, kind as u64, first as u64, second).ok()
    }

    /// As a literal, or the call that makes it.
    fn value(&mut self, r#type: &Type, value: &Value) -> Option<String> {
        let meta = self.meta;
        Some(match (r#type, value) {
            (_, Value::Bool(truth)) => truth.to_string(),
            (_, Value::Int(number)) => number.to_string(),
            (Type::Percent, Value::Decimal(number)) => self.plain(Written::Percent, *number, 0)?,
            (_, Value::Decimal(number)) => {
                let figures = self.plain(Written::Decimal, *number, 0)?;
                if figures.contains('.') { figures } else { format!("{figures}.0") }
            }
            (_, Value::Money(money)) => self.plain(Written::Money, money.amount, money.currency.into())?,
            (Type::Time, Value::Moment(ms)) => {
                let local = local_text(Time(*ms), ZONE);
                format!("{}.at({}, {})", local.get(..10)?, local.get(11..16)?, quoted(ZONE))
            }
            (_, Value::Moment(moment)) => self.plain(Written::of(r#type)?, *moment, 0)?,
            (_, Value::Text(text)) => quoted(text),
            (_, Value::Phone(phone)) => quoted(&phone.e164().into_inner()),
            (_, Value::Language(index)) => meta.languages.get(*index as usize)?.clone(),
            (_, Value::None) => "none".to_owned(),
            (Type::Optional(inner), Value::Some(value)) => self.value(inner, value)?,
            (Type::Private(_), Value::Private(private)) => quoted(&private.0),
            (Type::Enum(id), Value::Enum(index, values)) => {
                let variant = meta.types.variants(*id).get(*index as usize)?;
                match values.as_slice() {
                    [] => variant.name.clone(),
                    values => format!("{}({})", variant.name, self.fields(&variant.fields, values)?),
                }
            }
            (Type::Record(id), Value::Record(values)) => {
                if let Some(permission) = self.permission(*id, value) {
                    return Some(format!("given_for({})", permission.purpose));
                }
                let record = meta.types.records.get(*id as usize)?;
                let name = self.item(&record.name)?;
                format!("{name}({})", self.fields(&record.fields, values)?)
            }
            (Type::List(row), Value::List(rows)) => {
                let rows: Vec<String> = rows.iter().map(|value| self.value(row, value)).collect::<Option<_>>()?;
                format!("[{}]", rows.join(", "))
            }
            _ => return None,
        })
    }

    fn permission(&self, id: u32, value: &Value) -> Option<Permission> {
        let record = self.meta.types.records.get(id as usize)?;
        let permission = Permission::from_value(value).filter(|_| record.name == Permission::TYPE)?;
        (Permission::given_for(&permission.purpose) == *value).then_some(permission)
    }

    fn fields(&mut self, fields: &[Field], values: &[Value]) -> Option<String> {
        let written = fields.iter().zip(values);
        let written =
            written.map(|(field, value)| Some(format!("{}: {}", field.name, self.value(&field.r#type, value)?)));
        Some(written.collect::<Option<Vec<_>>>()?.join(", "))
    }
}

/// The lines by which a file sees the names.
pub fn use_lines(uses: &Uses) -> String {
    let mut lines = String::new();
    for (module, names) in uses {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let _ = writeln!(lines, "use {module}: {}", names.join(", "));
    }
    lines
}

fn deliveries(given: &[Delivery]) -> String {
    given.iter().map(|delivery| delivery.name()).collect::<Vec<_>>().join(", ")
}

/// `technical` of `routing.technical`.
fn last_word(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for sign in text.chars() {
        match sign {
            '"' | '\\' | '{' => quoted.extend(['\\', sign]),
            '\n' => quoted.push_str("\\n"),
            sign => quoted.push(sign),
        }
    }
    quoted.push('"');
    quoted
}
