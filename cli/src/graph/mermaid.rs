//! The picture as a Mermaid flowchart, for pages that draw it themselves.

use std::fmt::Write;

use lang_compiler::picture::{Line, LineKind, Node, NodeKind, Picture};

pub fn mermaid(picture: &Picture) -> String {
    let mut text = String::from("flowchart TD\n");
    for (id, node) in picture.nodes.iter().enumerate().filter(|(_, node)| node.group.is_none()) {
        let _ = writeln!(text, "    {}", shape(id, node));
    }
    for (index, group) in picture.groups.iter().enumerate() {
        let _ = writeln!(text, "    subgraph g{index}[\"{}\"]", escaped(&group.name));
        for (id, node) in picture.nodes.iter().enumerate().filter(|(_, node)| node.group == Some(index)) {
            let _ = writeln!(text, "        {}", shape(id, node));
        }
        text.push_str("    end\n");
    }
    for edge in &picture.edges {
        let labels: Vec<String> = edge
            .labels
            .iter()
            .map(|label| match &label.key {
                Some(key) => escaped(format!("[{key}] {}", label.text).trim()),
                None => escaped(&label.text),
            })
            .collect();
        let arrow = if edge.runs { "-.->" } else { "-->" };
        let label =
            if labels.is_empty() && edge.runs { picture.comes_back_by(edge).to_owned() } else { labels.join("<br>") };
        let label = if label.is_empty() { String::new() } else { format!("|\"{label}\"|") };
        let _ = writeln!(text, "    n{} {arrow}{label} n{}", edge.from, edge.to);
    }
    text.push_str("    classDef end_ fill:#fde8e8,stroke:#c0392b,color:#7b1e14\n");
    text.push_str("    classDef entry fill:#e3f3e6,stroke:#2e7d4f,color:#1b4d30\n");
    for (kind, class) in [(NodeKind::End, "end_"), (NodeKind::Entry, "entry")] {
        let ids = picture.nodes.iter().enumerate().filter(|(_, node)| node.kind == kind);
        let ids: Vec<String> = ids.map(|(id, _)| format!("n{id}")).collect();
        if !ids.is_empty() {
            let _ = writeln!(text, "    class {} {class}", ids.join(","));
        }
    }
    text
}

fn shape(id: usize, node: &Node) -> String {
    let title = escaped(&node.title);
    match node.kind {
        NodeKind::Entry => format!("n{id}([\"☎ {title}\"])"),
        NodeKind::End => format!("n{id}([\"{title}\"])"),
        NodeKind::Top | NodeKind::Step | NodeKind::Handler | NodeKind::Queue | NodeKind::Rule => {
            let lines: String = node.lines.iter().map(|line| format!("<br>{}", line_text(line))).collect();
            format!("n{id}[\"<b>{title}</b>{lines}\"]")
        }
    }
}

fn line_text(line: &Line) -> String {
    let text = match line.kind {
        LineKind::Hears => format!("“{}”", line.text),
        LineKind::Asks | LineKind::Does => line.text.clone(),
    };
    escaped(&if line.when.is_empty() { text } else { format!("{}: {text}", line.when) })
}

/// As Mermaid wants it: entities are written with `#` in place of `&`.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '"' => safe.push_str("#quot;"),
            '<' => safe.push_str("#lt;"),
            '>' => safe.push_str("#gt;"),
            '&' => safe.push_str("#amp;"),
            '#' => safe.push_str("#35;"),
            '`' => safe.push_str("#96;"),
            _ => safe.push(sign),
        }
    }
    safe
}
