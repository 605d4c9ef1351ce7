//! What a person types in `talk`, line by line. A line that means nothing gets a word that helps.

use runtime_contract::Time;
use runtime_contract::calendar::{instant, local};
use runtime_contract::script::{AgentState, Delivery, FarSide};

/// Time that one line may skip; a day with an hour more when clocks are set back.
const SKIP_MS_MAX: u64 = 25 * 3_600_000;
const MS_A_MINUTE: i64 = 60_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    Press(String),
    /// Wait until the dialogue loses patience.
    Nothing,
    Say(String),
    Skip {
        ms: u64,
    },
    HangUp,
    Repeat,
    Help,
    Given {
        operation: String,
        value: String,
    },
    /// What whoever is called does from now on.
    Dial(FarSide),
    /// Whether what cadences write arrives from now on.
    Message(Delivery),
    /// The same of what is sent.
    Send(Delivery),
    /// This agent is so from now on; skills by name, with their levels.
    Agent {
        name: String,
        state: AgentState,
        skills: Vec<(String, i64)>,
    },
    /// What he says of the conversation that he has ended.
    AgentPicks {
        name: String,
        variant: String,
    },
    Quit,
}

/// `now` and `zone` are those of the call; `listens` says whether words are listened to. The error is a word that
/// helps.
pub fn read(line: &str, now: Time, zone: &str, listens: bool) -> Result<Order, String> {
    let line = line.trim();
    let (verb, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(verb, rest)| (verb, rest.trim()));
    let is_keys = |text: &str| text.chars().all(|c| c.is_ascii_digit() || "*# ".contains(c));
    Ok(match (verb, rest) {
        ("", _) => Order::Nothing,
        ("?" | "help", "") => Order::Help,
        ("quit" | "exit", "") => Order::Quit,
        ("hang", "up") | ("bye", "") => Order::HangUp,
        ("repeat" | "again", "") => Order::Repeat,
        ("press", keys) if !keys.is_empty() && is_keys(keys) => Order::Press(keys.replace(' ', "")),
        ("press", _) => return Err("keys are digits, `*` and `#`: `press 1`".to_owned()),
        ("wait", time) => Order::Skip { ms: skip(time)? },
        ("until", time) => Order::Skip { ms: until(time, now, zone)? },
        ("given", rest) => given(rest)?,
        ("dial", side) => Order::Dial(far_side(side)?),
        ("message", word) if let Some(delivery) = delivery(word) => Order::Message(delivery),
        ("send", word) if let Some(delivery) = delivery(word) => Order::Send(delivery),
        ("agent", rest) => agent(rest)?,
        ("say", words) => speak(words.trim_matches('"'), listens)?,
        _ if is_keys(line) => Order::Press(line.replace(' ', "")),
        _ if line.starts_with('+') => Order::Skip { ms: skip(line.trim_start_matches('+'))? },
        _ if line.starts_with('"') || listens => speak(line.trim_matches('"'), listens)?,
        _ => return Err(format!("`{line}` is neither keys nor one of the words here; `?` lists them")),
    })
}

fn speak(words: &str, listens: bool) -> Result<Order, String> {
    match (words, listens) {
        (_, false) => Err("nobody listens to words now; `?` says what may be pressed".to_owned()),
        ("", true) => Err("say some words: `say please call me back`".to_owned()),
        (words, true) => Ok(Order::Say(words.to_owned())),
    }
}

fn far_side(name: &str) -> Result<FarSide, String> {
    let known = FarSide::ALL.into_iter().find(|side| side.name() == name);
    known.ok_or_else(|| format!("whoever is called is one of {}", FarSide::ALL.map(FarSide::name).join(", ")))
}

/// Anything else may be words of the caller.
fn delivery(word: &str) -> Option<Delivery> {
    Delivery::ALL.into_iter().find(|delivery| delivery.name() == word)
}

/// `wang idle technical=4 mandarin`, also as a test writes it: `"wang" idle with technical 4, mandarin`.
fn agent(text: &str) -> Result<Order, String> {
    let wrong = || "say who, and what he is: `agent wang idle`, or `agent wang idle technical=4`".to_owned();
    let text = text.replace(['"', ',', '='], " ");
    let mut words = text.split_whitespace().filter(|word| *word != "with");
    let name = words.next().ok_or_else(wrong)?.to_owned();
    let state = words.next().ok_or_else(wrong)?;
    if state == "picks" {
        let variant = words.next().ok_or("say what he picks: `agent wang picks sold`")?.to_owned();
        return Ok(Order::AgentPicks { name, variant });
    }
    let known = AgentState::ALL.into_iter().find(|known| known.name() == state);
    let state =
        known.ok_or_else(|| format!("an agent is one of {}", AgentState::ALL.map(AgentState::name).join(", ")))?;
    let mut skills: Vec<(String, i64)> = Vec::new();
    for word in words {
        match (word.parse(), skills.last_mut()) {
            (Ok(level), Some((_, place))) => *place = level,
            (Ok(_), None) => return Err(wrong()),
            (Err(_), _) => skills.push((word.to_owned(), 1)),
        }
    }
    Ok(Order::Agent { name, state, skills })
}

/// `bank.balance = 12.50 CNY`, also with `=>` as in a test.
pub fn given(text: &str) -> Result<Order, String> {
    let (operation, value) = text
        .split_once("=>")
        .or_else(|| text.split_once('='))
        .ok_or_else(|| format!("`{text}` is not like `bank.balance=12.50 CNY`"))?;
    Ok(Order::Given { operation: operation.trim().to_owned(), value: value.trim().to_owned() })
}

/// `5s`, `1h30m`, `500ms`; a number alone is seconds.
fn skip(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a time like `5s`, `2m` or `1h30m`");
    let mut rest: &str = &text.replace(' ', "");
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, behind) = rest.split_at_checked(digits).ok_or_else(wrong)?;
        let letters = behind.len() - behind.trim_start_matches(|c: char| c.is_ascii_alphabetic()).len();
        let (unit, next) = behind.split_at_checked(letters).ok_or_else(wrong)?;
        let unit_ms = match unit {
            "ms" => 1,
            "s" | "" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        let ms = number.parse::<u64>().ok().and_then(|number| number.checked_mul(unit_ms)).ok_or_else(wrong)?;
        sum = sum.checked_add(ms).ok_or_else(wrong)?;
        rest = next;
    }
    within_limits(sum, wrong)
}

/// To the next time that a clock of the zone shows this.
fn until(text: &str, now: Time, zone: &str) -> Result<u64, String> {
    let wrong = || format!("`until {text}` is not like `until 18:00`");
    let (hours, minutes) = text.split_once(':').ok_or_else(wrong)?;
    let (hours, minutes): (i64, i64) = hours.parse().ok().zip(minutes.parse().ok()).ok_or_else(wrong)?;
    if !(0..24).contains(&hours) || !(0..60).contains(&minutes) {
        return Err(wrong());
    }
    let (day, _, _) = local(now, zone).ok_or_else(wrong)?;
    let ms_of_day = (hours * 60 + minutes) * MS_A_MINUTE;
    let then = [day, day + 1].into_iter().filter_map(|day| instant(day, ms_of_day, zone)).find(|time| *time > now);
    let ms = then.and_then(|then| u64::try_from(then.0 - now.0).ok()).ok_or_else(wrong)?;
    within_limits(ms, wrong)
}

fn within_limits(ms: u64, wrong: impl Fn() -> String) -> Result<u64, String> {
    match ms {
        0 => Err(wrong()),
        ms if ms > SKIP_MS_MAX => Err("no call lasts longer than a day".to_owned()),
        ms => Ok(ms),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may stop at the first surprise")]
mod tests {
    use super::*;

    /// Monday 2 March 2026, 10:00 in Shanghai.
    const NOW: Time = Time(1_772_416_800_000);

    fn order(line: &str) -> Result<Order, String> {
        read(line, NOW, "Asia/Shanghai", false)
    }

    fn skips(line: &str) -> Option<u64> {
        match order(line) {
            Ok(Order::Skip { ms }) => Some(ms),
            _ => None,
        }
    }

    #[test]
    fn whoever_is_called_does_what_is_said() {
        assert_eq!(order("dial busy"), Ok(Order::Dial(FarSide::Busy)));
        assert!(order("dial asleep").unwrap_err().contains("person, machine, busy, unanswered"));
    }

    #[test]
    fn texts_arrive_as_is_said() {
        assert_eq!(order("send undelivered"), Ok(Order::Send(Delivery::Undelivered)));
        assert_eq!(order("message delivered"), Ok(Order::Message(Delivery::Delivered)));
        let words = read("send it to me", NOW, "Asia/Shanghai", true);
        assert_eq!(words, Ok(Order::Say("send it to me".into())), "the caller says that");
    }

    #[test]
    fn an_agent_is_what_is_said() {
        let skills = vec![("technical".to_owned(), 4), ("mandarin".to_owned(), 1)];
        let wang = Ok(Order::Agent { name: "wang".into(), state: AgentState::Idle, skills });
        assert_eq!(order("agent wang idle technical=4 mandarin"), wang);
        assert_eq!(order("agent \"wang\" idle with technical 4, mandarin"), wang);
        let picks = Order::AgentPicks { name: "wang".into(), variant: "sold".into() };
        assert_eq!(order("agent wang picks sold"), Ok(picks));
        assert!(order("agent wang asleep").unwrap_err().contains("idle, busy, away"));
        assert!(order("agent").is_err() && order("agent wang").is_err() && order("agent wang idle 4").is_err());
    }

    #[test]
    fn durations_as_people_type_them() {
        assert_eq!(
            [skips("wait 5s"), skips("+500ms"), skips("+2m"), skips("wait 7")].map(Option::unwrap_or_default),
            [5_000, 500, 120_000, 7_000]
        );
        assert_eq!((skips("+1h30m"), skips("+ 1 h")), (Some(5_400_000), Some(3_600_000)));
        for wrong in ["+", "+s", "+5x", "wait", "wait soon", "+99d", "+99999999999999999999s", "+0s", "+5s s"] {
            assert!(order(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_clock_is_that_of_the_zone() {
        assert_eq!(skips("until 18:00"), Some(8 * 3_600_000));
        assert_eq!(skips("until 09:00"), Some(23 * 3_600_000));
        assert_eq!(skips("until 10:00"), Some(24 * 3_600_000));
        assert!(order("until 24:00").is_err() && order("until noon").is_err() && order("until 1:2:3").is_err());
    }

    #[test]
    fn keys_words_and_answers() {
        let press = |keys: &str| Ok(Order::Press(keys.to_owned()));
        assert_eq!((order("1"), order(" 12 34#"), order("press *")), (press("1"), press("1234#"), press("*")));
        let given = Order::Given { operation: "bank.balance".into(), value: "12.50 CNY".into() };
        assert_eq!(order("given bank.balance => 12.50 CNY"), Ok(given.clone()));
        assert_eq!(order("given bank.balance=12.50 CNY"), Ok(given));
        assert_eq!(read("hello there", NOW, "UTC", true), Ok(Order::Say("hello there".into())));
        assert_eq!(read("say \"hello\"", NOW, "UTC", true), Ok(Order::Say("hello".into())));
        assert!(order("say hello").is_err_and(|why| why.contains("nobody listens")));
        assert!(order("orders").is_err_and(|why| why.contains('?')));
        assert_eq!((order(""), order("hang up"), order("?")), (Ok(Order::Nothing), Ok(Order::HangUp), Ok(Order::Help)));
    }
}
