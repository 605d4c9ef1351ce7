//! The whole project at a glance: numbers, flows, queues and rules as one box each, and what leads from one to another.

use std::collections::BTreeMap;

use super::{Edge, NodeKind, Picture};

impl Picture {
    /// Without the steps of flows: what leads away from any of them leads away from the flow.
    pub fn map(self) -> Picture {
        let tops = |group: usize| self.nodes.iter().position(|node| is_head(node.kind) && node.group == Some(group));
        let stands_for: Vec<Option<usize>> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(id, node)| match node.group {
                Some(group) if node.kind != NodeKind::End => tops(group),
                Some(_) => None,
                None => Some(id),
            })
            .collect();
        let mut numbers = BTreeMap::new();
        let mut nodes = Vec::new();
        for (id, node) in self.nodes.iter().enumerate().filter(|(id, _)| stands_for.get(*id) == Some(&Some(*id))) {
            numbers.insert(id, nodes.len());
            let tells = matches!(node.kind, NodeKind::Queue | NodeKind::Rule);
            let lines = if tells { node.lines.clone() } else { Vec::new() };
            nodes.push(super::Node { lines, group: None, ..node.clone() });
        }
        let mut edges: Vec<Edge> = Vec::new();
        for edge in self.edges {
            let end =
                |node: usize| stands_for.get(node).copied().flatten().and_then(|node| numbers.get(&node).copied());
            let (Some(from), Some(to)) = (end(edge.from), end(edge.to)) else { continue };
            if from == to {
                continue;
            }
            match edges.iter_mut().find(|known| (known.from, known.to) == (from, to)) {
                Some(known) => known.spans.extend(edge.spans),
                None => {
                    // Of ways within a flow the reasons are left out; what a queue says of its overflow is kept.
                    let is_queue = nodes.get(from).is_some_and(|node| node.kind == NodeKind::Queue);
                    let labels = if is_queue { edge.labels } else { Vec::new() };
                    edges.push(Edge { from, to, labels, ..edge });
                }
            }
        }
        Picture { language: self.language, groups: Vec::new(), nodes, edges }
    }
}

/// It stands for its group.
fn is_head(kind: NodeKind) -> bool {
    matches!(kind, NodeKind::Top | NodeKind::Rule)
}
