//! The same flow in LuaJIT: a table of functions, one a state, and a table for each call.

use std::process::Command;

use super::flow::CALLS;

const SCRIPT: &str = r"
local CALLS, STEPS = tonumber(arg[1]), tonumber(arg[2])
local STATES, A_MAX, B_MAX, TRIES_MAX = 100, 1000, 100000, 3
local TURNS = 64000
local whose, outcomes, seed = {}, {}, 42
for i = 0, TURNS - 1 do
  seed = seed * 16807 % 2147483647
  whose[i], outcomes[i] = i * 617 % CALLS, seed % 5
end
local function next_state(state, outcome) return (state * 7 + outcome * 13 + 1) % STATES end
local states = {}
for s = 0, STATES - 1 do
  local to = {}
  for o = 0, 4 do to[o] = next_state(s, o) end
  local a_max, amount = A_MAX + s, s + 1
  states[s] = function(call, outcome)
    if outcome == 0 then
      local sum = call.a + amount
      if sum > a_max then sum = 0 end
      call.a = sum
    elseif outcome == 1 then
      local sum = call.b + call.a
      if sum > B_MAX then sum = 0 end
      call.b = sum
    elseif outcome > 2 then
      call.tries = call.tries + 1
      if call.tries < TRIES_MAX then return s end
    end
    call.tries = 0
    local state = to[outcome]
    call.state = state
    return state
  end
end
local calls = {}
for i = 0, CALLS - 1 do calls[i] = { state = 0, a = 0, b = 0, tries = 0 } end
local function run(steps)
  local sum, turn = 0, 0
  for step = 1, steps do
    local call = calls[whose[turn]]
    sum = sum + states[call.state](call, outcomes[turn])
    turn = turn + 1
    if turn == TURNS then turn = 0 end
  end
  return sum
end
local sum = run(STEPS / 10)
for i = 0, CALLS - 1 do calls[i] = { state = 0, a = 0, b = 0, tries = 0 } end
local begun = os.clock()
run(STEPS)
print((os.clock() - begun) * 1e9 / STEPS, sum)
";

/// Nanoseconds a step, as LuaJIT measures them itself, and the sum of all states in the first tenth of the steps;
/// `None` when it is not installed.
pub fn run(steps: usize) -> Option<(f64, u64)> {
    let script = std::env::temp_dir().join(format!("strowger-bench-{}.lua", std::process::id()));
    std::fs::write(&script, SCRIPT).ok()?;
    let output = Command::new("luajit").arg(&script).args([CALLS.to_string(), steps.to_string()]).output().ok();
    std::fs::remove_file(&script).ok()?;
    let text = String::from_utf8(output?.stdout).ok()?;
    let (nanoseconds, sum) = text.trim().split_once('\t')?;
    Some((nanoseconds.parse().ok()?, sum.parse().ok()?))
}
