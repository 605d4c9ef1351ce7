//! A graph as bytes: a format number, then postcard. What is stored is read back by any later build that knows
//! the number, and is verified again before it runs.

use std::fmt;

use runtime_contract::limits::GRAPH_BYTES_MAX;
use runtime_contract::program::GraphId;

use crate::graph::Graph;
use crate::verify::Verified;

/// Changes whenever the bytes of a graph mean something else. Little-endian, first in the file.
pub const FORMAT: u16 = 8;

/// Why stored bytes are no graph that may run.
#[derive(Debug, PartialEq, Eq)]
pub enum LoadError {
    TooLarge(usize),
    /// Another format; `None` when the bytes end before it.
    Format(Option<u16>),
    Bytes(String),
    /// What the verifier said.
    Unsound(Vec<String>),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LoadError::TooLarge(bytes) => write!(f, "the graph has {bytes} bytes, at most {GRAPH_BYTES_MAX}"),
            LoadError::Format(Some(number)) => {
                write!(f, "the graph has format {number}, this build reads format {FORMAT}")
            }
            LoadError::Format(None) => f.write_str("the graph is empty"),
            LoadError::Bytes(problem) => write!(f, "the graph cannot be read: {problem}"),
            LoadError::Unsound(problems) => write!(f, "the graph is not sound: {}", problems.join("; ")),
        }
    }
}

impl std::error::Error for LoadError {}

/// The canonical bytes of a graph.
pub fn to_bytes(graph: &Graph) -> Vec<u8> {
    let format = FORMAT.to_le_bytes().to_vec();
    // Writing to memory fails for no graph; an empty answer would not load.
    postcard::to_extend(graph, format).unwrap_or_default()
}

/// BLAKE3 of the canonical bytes.
pub(crate) fn graph_id(bytes: &[u8]) -> GraphId {
    GraphId(*blake3::hash(bytes).as_bytes())
}

/// A verified graph. Its id is that of the bytes.
pub fn from_bytes(bytes: &[u8]) -> Result<Verified, LoadError> {
    if bytes.len() > GRAPH_BYTES_MAX {
        return Err(LoadError::TooLarge(bytes.len()));
    }
    let Some((format, body)) = bytes.split_first_chunk() else { return Err(LoadError::Format(None)) };
    match u16::from_le_bytes(*format) {
        FORMAT => {}
        other => return Err(LoadError::Format(Some(other))),
    }
    let (mut graph, rest): (Graph, &[u8]) =
        postcard::take_from_bytes(body).map_err(|problem| LoadError::Bytes(problem.to_string()))?;
    if !rest.is_empty() {
        return Err(LoadError::Bytes(format!("{} bytes too many", rest.len())));
    }
    graph.meta.graph_id = graph_id(bytes);
    Verified::new(graph).map_err(LoadError::Unsound)
}
