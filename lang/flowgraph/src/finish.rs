//! From draft to graph.
use crate::builder::GraphBuilder;
use crate::graph::Graph;
pub fn finish(_builder: GraphBuilder) -> Result<Graph, Vec<String>> {
    Err(Vec::new())
}
