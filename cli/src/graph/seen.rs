//! What of a picture was come by, where somebody counted. It does not know who counts.

use lang_compiler::picture::Picture;

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum State {
    /// Nobody counted here.
    #[default]
    Unknown,
    Reached,
    /// A text that was heard, but not in each of its languages.
    Partly,
    Missed,
}

/// By places of the picture: a node, a line of a node, an edge, a label of an edge.
#[derive(Default)]
pub struct Seen {
    pub nodes: Vec<State>,
    /// How often, where that is known.
    pub counts: Vec<Option<u64>>,
    pub lines: Vec<Vec<State>>,
    pub edges: Vec<State>,
    pub labels: Vec<Vec<State>>,
}

impl State {
    /// The class of what is drawn, with a blank before it.
    pub fn class(self) -> &'static str {
        match self {
            State::Unknown => "",
            State::Reached => " reached",
            State::Partly => " partly",
            State::Missed => " missed",
        }
    }

    /// Of several places together: what one reached is reached.
    pub fn any(states: impl IntoIterator<Item = State>) -> State {
        let order = |state: &State| match state {
            State::Unknown => 0,
            State::Missed => 1,
            State::Partly => 2,
            State::Reached => 3,
        };
        states.into_iter().max_by_key(order).unwrap_or_default()
    }
}

impl Seen {
    /// A picture that nobody counted in.
    pub fn nothing(picture: &Picture) -> Seen {
        Seen {
            nodes: vec![State::Unknown; picture.nodes.len()],
            counts: vec![None; picture.nodes.len()],
            lines: picture.nodes.iter().map(|node| vec![State::Unknown; node.lines.len()]).collect(),
            edges: vec![State::Unknown; picture.edges.len()],
            labels: picture.edges.iter().map(|edge| vec![State::Unknown; edge.labels.len()]).collect(),
        }
    }

    pub fn is_counted(&self) -> bool {
        self.nodes.iter().any(|state| *state != State::Unknown)
    }

    pub fn line(&self, node: usize, line: usize) -> State {
        self.lines.get(node).and_then(|lines| lines.get(line)).copied().unwrap_or_default()
    }

    pub fn label(&self, edge: usize, label: usize) -> State {
        self.labels.get(edge).and_then(|labels| labels.get(label)).copied().unwrap_or_default()
    }
}
