//! Every bound of a call and of a program, in one place. Each is tested at the bound where it acts.

/// Segments in one graph.
pub const SEGMENTS_MAX: usize = 50_000;
/// Bytes of one frame.
pub const FRAME_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a call's whole stack of frames.
pub const STACK_BYTES_MAX: usize = 16 * 1024;
/// Flows running inside each other (`run`).
pub const RUN_DEPTH_MAX: usize = 16;
/// Bytes of a call's text arena.
pub const ARENA_BYTES_MAX: usize = 32 * 1024;
/// The arena is compacted at a wait when it holds more than this.
pub const ARENA_COMPACT_BYTES: usize = 4 * 1024;
/// Bytes of one text made at run time.
pub const TEXT_BYTES_MAX: usize = 4 * 1024;
/// Rows of one list.
pub const LIST_LEN_MAX: usize = 256;
/// Private values that one call may hold.
pub const VAULT_VALUES_MAX: usize = 16;
/// Keys held before somebody asks for them.
pub const KEYS_AHEAD_MAX: usize = 32;
/// Digits that one `ask` may want.
pub const ASK_DIGITS_MAX: u32 = 64;
/// Characters that one `ask text` may take: an SMS of ten parts.
pub const ASK_TEXT_MAX: u32 = 1_000;
/// Choices of one menu.
pub const MENU_ARMS_MAX: usize = 32;
/// Gotos and calls between two waits.
pub const FUEL_STEP_MAX: i64 = 100_000;
/// Requests of one activation.
pub const REQUESTS_MAX: u32 = 10_000;
/// Messages and cases of one call.
pub const MESSAGES_MAX: u32 = 32;
/// Hours that one voice call may last.
pub const CALL_HOURS_MAX: u64 = 12;
/// Longest conversation by chat, SMS or e-mail.
pub const TEXT_SESSION_DAYS_MAX: u64 = 30;
/// Time that all `finally` blocks of a call have together, in milliseconds.
pub const FINALLY_MS_MAX: u64 = 30_000;
/// The same once the process was told to stop.
pub const FINALLY_DRAIN_MS_MAX: u64 = 5_000;
/// Bytes of one service answer.
pub const REPLY_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one call's journal.
pub const JOURNAL_BYTES_MAX: usize = 64 * 1024;
/// Bytes of one serialised graph.
pub const GRAPH_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Versions with a live call.
pub const VERSIONS_LIVE_MAX: usize = 64;
/// Longest that `connect to` rings, in milliseconds: a proxy gives up then (RFC 3261 §16.6, Timer C).
pub const RING_MS_MAX: i64 = 180_000;
/// Longest `wait`, in milliseconds.
pub const WAIT_MS_MAX: i64 = 600_000;
/// Operations by which a constant or a function is worked out, those that it uses included.
pub const PURE_COST_MAX: usize = 1_000;
/// Callers in all queues of a node, those who talk or were promised a call among them.
pub const TICKETS_MAX: usize = 100_000;
/// Queues that one caller waits in beside the first (`overflow`).
pub const OVERFLOW_HOPS_MAX: usize = 4;
/// Agents of a site.
pub const AGENTS_MAX: usize = 20_000;
/// States in which an explorer looks at calls.
pub const EXPLORE_STATES_MAX: usize = 1_000_000;
/// Bytes that it holds of them.
pub const EXPLORE_BYTES_MAX: usize = 1 << 30;
