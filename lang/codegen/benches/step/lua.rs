//! The same flow in LuaJIT: a table of functions, one a state, and a table for each call.

use std::process::Command;

const SCRIPT: &str = r"
local CALLS, STEPS = tonumber(arg[1]), tonumber(arg[2])
local STATES, A_MAX, B_MAX, TRIES_MAX = 100, 1000, 100000, 3
local outcomes, seed = {}, 42
for i = 0, 65535 do seed = seed * 16807 % 2147483647; outcomes[i] = seed % 5 end
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
  local sum = 0
  for step = 0, steps - 1 do
    local call = calls[step * 617 % CALLS]
    sum = sum + states[call.state](call, outcomes[step % 65536])
  end
  return sum
end
run(STEPS / 10)
local begun = os.clock()
run(STEPS)
print((os.clock() - begun) * 1e9 / STEPS)
";

/// Nanoseconds a step, as LuaJIT measures them itself; `None` when it is not installed.
pub fn nanoseconds(calls: usize, steps: usize) -> Option<f64> {
    let folder = std::env::temp_dir().join(format!("strowger-bench-{}.lua", std::process::id()));
    std::fs::write(&folder, SCRIPT).ok()?;
    let output = Command::new("luajit").arg(&folder).args([calls.to_string(), steps.to_string()]).output().ok();
    std::fs::remove_file(&folder).ok()?;
    String::from_utf8(output?.stdout).ok()?.trim().parse().ok()
}
