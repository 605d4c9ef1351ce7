//! Which version takes calls, which is on trial, and which one was there before: one row a graph. A deploy takes
//! the highest place; a rollback goes to the highest retired place below its own.

use runtime_contract::{GraphId, Time};
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    pub graph: GraphId,
    pub state: VersionState,
    /// Of a canary: what it takes of all calls, in hundredths of a percent.
    pub share: u32,
    /// When it came to this state by a deploy.
    pub at: Time,
    pub who: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionState {
    /// Takes new calls.
    Stable,
    /// Takes a share of them.
    Canary,
    /// Took calls until another came: a rollback may go to it.
    Retired,
    /// A rollback led away from it.
    Withdrawn,
}

/// What becomes of versions, each in one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionChange {
    /// It takes all new calls; a canary that is another one is withdrawn.
    Deploy(GraphId),
    Canary {
        graph: GraphId,
        share: u32,
    },
    WithdrawCanary,
    /// Back to this one, which keeps its place.
    RollBack(GraphId),
}

/// Rows kept; the oldest that take no calls go.
const VERSIONS_MAX: u32 = 200;

impl VersionState {
    pub fn name(self) -> &'static str {
        match self {
            VersionState::Stable => "stable",
            VersionState::Canary => "canary",
            VersionState::Retired => "retired",
            VersionState::Withdrawn => "withdrawn",
        }
    }

    fn parse(name: &str) -> VersionState {
        let all = [VersionState::Stable, VersionState::Canary, VersionState::Retired];
        all.into_iter().find(|state| state.name() == name).unwrap_or(VersionState::Withdrawn)
    }
}

pub(crate) fn all(connection: &Connection) -> rusqlite::Result<Vec<StoredVersion>> {
    let mut query = connection.prepare("SELECT graph, state, share, at_ms, who FROM versions ORDER BY place DESC")?;
    query.query_map([], version)?.collect()
}

fn version(row: &Row<'_>) -> rusqlite::Result<StoredVersion> {
    Ok(StoredVersion {
        graph: GraphId(row.get(0)?),
        state: VersionState::parse(&row.get::<_, String>(1)?),
        share: row.get(2)?,
        at: Time(row.get(3)?),
        who: row.get(4)?,
    })
}

/// Where a rollback of the stable version would lead.
pub(crate) fn before(connection: &Connection) -> rusqlite::Result<Option<GraphId>> {
    let query = "SELECT graph FROM versions WHERE state = 'retired' \
                 AND place < (SELECT place FROM versions WHERE state = 'stable') ORDER BY place DESC LIMIT 1";
    connection.query_row(query, [], |row| row.get(0)).optional().map(|graph| graph.map(GraphId))
}

pub(crate) fn change(
    transaction: &Transaction<'_>,
    change: VersionChange,
    at: Time,
    who: &str,
) -> rusqlite::Result<()> {
    let withdraw_canary = "UPDATE versions SET state = 'withdrawn' WHERE state = 'canary'";
    match change {
        VersionChange::Deploy(graph) => {
            transaction.execute_batch(withdraw_canary)?;
            transaction.execute("UPDATE versions SET state = 'retired' WHERE state = 'stable'", [])?;
            put(transaction, graph, VersionState::Stable, 0, at, who)?;
        }
        VersionChange::Canary { graph, share } => {
            transaction.execute_batch(withdraw_canary)?;
            put(transaction, graph, VersionState::Canary, share, at, who)?;
        }
        VersionChange::WithdrawCanary => transaction.execute_batch(withdraw_canary)?,
        VersionChange::RollBack(graph) => {
            // It was on trial against the version that goes.
            transaction.execute_batch(withdraw_canary)?;
            transaction.execute("UPDATE versions SET state = 'withdrawn' WHERE state = 'stable'", [])?;
            transaction.execute("UPDATE versions SET state = 'stable' WHERE graph = ?1", [&graph.0[..]])?;
        }
    }
    Ok(())
}

fn put(
    transaction: &Transaction<'_>,
    graph: GraphId,
    state: VersionState,
    share: u32,
    at: Time,
    who: &str,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT OR REPLACE INTO versions (graph, place, state, share, at_ms, who) \
         VALUES (?1, (SELECT COALESCE(MAX(place), 0) + 1 FROM versions), ?2, ?3, ?4, ?5)",
        (&graph.0[..], state.name(), share, at.0, who),
    )?;
    transaction.execute(
        "DELETE FROM versions WHERE state IN ('retired', 'withdrawn') \
         AND place <= (SELECT MAX(place) FROM versions) - ?1",
        [VERSIONS_MAX],
    )?;
    Ok(())
}
