//! Names, types and expressions. Each rule of the grammar's ladder of operators folds its own.

use lang_diagnostics::{Code, Diagnostic, Span, nearest};

use super::AstBuilder;
use crate::ast::{
    Argument, Arguments, BinaryOperator, Expr, ExprKind, Field, IsTest, LanguageTag, Name, Path, Pattern, PatternKind,
    Type, TypeKind, ValueArm, ValueMatch,
};
use crate::grammar::Rule;
use crate::names::composed;
use crate::node::Node;

/// `i64::MIN` without its sign.
const LEAST_INT_FIGURE: &str = "9223372036854775808";

impl<'t> AstBuilder<'t, '_> {
    pub(super) fn name(&mut self, node: &Node<'t, '_>) -> Name {
        Name { text: composed(node.text()), span: node.span() }
    }

    /// The first child of the rule as a name; the grammar makes sure that there is one.
    pub(super) fn name_of(&mut self, node: &Node<'t, '_>, rule: Rule) -> Name {
        let name = node.child(rule).map(|name| self.name(&name));
        name.unwrap_or(Name { text: String::new(), span: node.span() })
    }

    pub(super) fn path(&mut self, node: &Node<'t, '_>) -> Path {
        let names = node.inner().map(|name| self.name(&name)).collect();
        Path { names, span: node.span() }
    }

    pub(super) fn path_of(&mut self, node: &Node<'t, '_>) -> Path {
        let path = node.child(Rule::path).map(|path| self.path(&path));
        path.unwrap_or(Path { names: Vec::new(), span: node.span() })
    }

    /// The `operand` among the children.
    pub(super) fn operand_of(&mut self, node: &Node<'t, '_>) -> Expr {
        self.optional_operand_of(node).unwrap_or_else(|| missing(node.span()))
    }

    pub(super) fn optional_operand_of(&mut self, node: &Node<'t, '_>) -> Option<Expr> {
        node.child(Rule::operand).map(|operand| self.expr(&operand))
    }

    /// The operand of a clause such as `from_clause`.
    pub(super) fn clause(&mut self, node: &Node<'t, '_>, clause: Rule) -> Option<Expr> {
        node.child(clause).map(|clause| self.operand_of(&clause))
    }

    /// Any rule that reads a value.
    pub(super) fn expr(&mut self, node: &Node<'t, '_>) -> Expr {
        match node.rule() {
            Rule::value | Rule::pattern_value => self.first_expr(node),
            Rule::value_match => self.value_match(node),
            Rule::expression => self.else_expression(node),
            Rule::operand | Rule::or_operand | Rule::sum | Rule::product => self.chain_of_operators(node),
            Rule::not_operand => self.prefixed(node, Rule::kw_not, |value| ExprKind::Not { value }),
            Rule::comparison => self.comparison(node),
            Rule::unary => self.prefixed(node, Rule::minus, |value| ExprKind::Negate { value }),
            Rule::negative => self.prefixed(node, Rule::minus, |value| ExprKind::Negate { value }),
            Rule::postfix => self.postfix(node),
            Rule::primary => self.first_expr(node),
            Rule::bound => self.first_expr(node),
            Rule::group => self.group(node),
            Rule::list => {
                let values = node.children(Rule::expression).map(|value| self.expr(&value)).collect();
                Expr { kind: ExprKind::List(values), span: node.span() }
            }
            Rule::literal => self.literal(node),
            Rule::int => Expr { kind: self.int(node.text(), node.span()), span: node.span() },
            Rule::string => Expr { kind: ExprKind::Text(self.string(node)), span: node.span() },
            Rule::date => Expr { kind: self.date(node), span: node.span() },
            Rule::clock => Expr { kind: self.clock_value(node), span: node.span() },
            Rule::kw_none => Expr { kind: ExprKind::None, span: node.span() },
            Rule::language => Expr { kind: ExprKind::Language(self.tag(node)), span: node.span() },
            Rule::name => Expr { kind: ExprKind::Name(self.name(node)), span: node.span() },
            Rule::path => self.path_expr(node),
            _ => missing(node.span()),
        }
    }

    fn first_expr(&mut self, node: &Node<'t, '_>) -> Expr {
        node.first().map_or_else(|| missing(node.span()), |inner| self.expr(&inner))
    }

    /// The span keeps the parentheses, so that a repair can replace the whole.
    fn group(&mut self, node: &Node<'t, '_>) -> Expr {
        let inner = self.first_expr(node);
        Expr { span: node.span(), ..inner }
    }

    fn path_expr(&mut self, node: &Node<'t, '_>) -> Expr {
        let mut names = node.inner();
        let Some(first) = names.next() else { return missing(node.span()) };
        let mut value = Expr { kind: ExprKind::Name(self.name(&first)), span: first.span() };
        for name in names {
            let span = value.span.to(name.span());
            value = Expr { kind: ExprKind::Field { base: Box::new(value), field: self.name(&name) }, span };
        }
        value
    }

    fn else_expression(&mut self, node: &Node<'t, '_>) -> Expr {
        let mut operands = node.children(Rule::operand);
        let value = operands.next().map_or_else(|| missing(node.span()), |value| self.expr(&value));
        let Some(fallback) = operands.next() else { return value };
        let keyword = node.keyword(Rule::kw_else).unwrap_or(node.span());
        let fallback = Box::new(self.expr(&fallback));
        Expr { kind: ExprKind::Else { keyword, value: Box::new(value), fallback }, span: node.span() }
    }

    /// `a + b - c`, from the left.
    fn chain_of_operators(&mut self, node: &Node<'t, '_>) -> Expr {
        let mut value: Option<Expr> = None;
        let mut operator = None;
        for part in node.inner() {
            if let Some(found) = binary_operator(&part) {
                operator = Some((found, part.span()));
                continue;
            }
            let right = self.expr(&part);
            value = Some(match (value, operator.take()) {
                (Some(left), Some((operator, operator_span))) => binary(left, operator, operator_span, right),
                _ => right,
            });
        }
        value.unwrap_or_else(|| missing(node.span()))
    }

    fn prefixed(&mut self, node: &Node<'t, '_>, prefix: Rule, kind: impl Fn(Box<Expr>) -> ExprKind) -> Expr {
        let mut prefixes: Vec<Span> = node.children(prefix).map(|prefix| prefix.span()).collect();
        let inner = node.inner().find(|part| part.rule() != prefix);
        let mut value = match (prefix, prefixes.last(), &inner) {
            // Its figure alone is no Int, so the sign is read with it.
            (Rule::minus, Some(sign), Some(inner)) if inner.text().trim_end().replace('_', "") == LEAST_INT_FIGURE => {
                let span = sign.to(inner.span());
                prefixes.pop();
                Expr { kind: ExprKind::Int(i64::MIN), span }
            }
            (_, _, Some(inner)) => self.expr(inner),
            (_, _, None) => missing(node.span()),
        };
        for start in prefixes.into_iter().rev() {
            let span = start.to(value.span);
            value = Expr { kind: kind(Box::new(value)), span };
        }
        value
    }

    fn comparison(&mut self, node: &Node<'t, '_>) -> Expr {
        let mut sums = node.children(Rule::sum);
        let left = sums.next().map_or_else(|| missing(node.span()), |left| self.expr(&left));
        if let Some(test) = node.child(Rule::is_test) {
            let negated = test.child(Rule::kw_not).is_some();
            let test = self.is_test(&test);
            return Expr { kind: ExprKind::Is { value: Box::new(left), negated, test }, span: node.span() };
        }
        let operator = node.child(Rule::comparing).and_then(|part| Some((binary_operator(&part)?, part.span())));
        match (operator, sums.next()) {
            (Some((operator, operator_span)), Some(right)) => binary(left, operator, operator_span, self.expr(&right)),
            _ => left,
        }
    }

    fn is_test(&mut self, node: &Node<'t, '_>) -> IsTest {
        if let Some(some) = node.child(Rule::is_some) {
            let name = some.child(Rule::name).map(|name| self.name(&name));
            return IsTest::Some { keyword: some.first_span(), name };
        }
        if let Some(language) = node.child(Rule::language) {
            return IsTest::Language(LanguageTag { text: language.text().to_owned(), span: language.span() });
        }
        match node.keyword(Rule::kw_none) {
            Some(span) => IsTest::None(span),
            None => IsTest::Name(self.path_of(node)),
        }
    }

    fn postfix(&mut self, node: &Node<'t, '_>) -> Expr {
        let mut value = missing(node.span());
        for part in node.inner() {
            let span = node.span().to(part.span());
            let span = Span { end: part.span().end, ..span };
            value = match part.rule() {
                Rule::primary => self.expr(&part),
                Rule::member => {
                    let field = self.name_of(&part, Rule::word);
                    Expr { kind: ExprKind::Field { base: Box::new(value), field }, span }
                }
                Rule::arguments => {
                    let arguments = self.arguments(&part);
                    Expr { kind: ExprKind::Call { callee: Box::new(value), arguments }, span }
                }
                _ => {
                    let index = Box::new(self.first_expr(&part));
                    Expr { kind: ExprKind::Index { base: Box::new(value), index }, span }
                }
            };
        }
        value
    }

    pub(super) fn arguments(&mut self, node: &Node<'t, '_>) -> Arguments {
        let list = node.children(Rule::argument).map(|argument| {
            let name = argument.child(Rule::word).map(|name| self.name(&name));
            let value = argument.child(Rule::expression).map(|value| self.expr(&value));
            let value = value.unwrap_or_else(|| missing(argument.span()));
            Argument { name, value, span: argument.span() }
        });
        Arguments { list: list.collect(), span: node.span() }
    }

    pub(super) fn arguments_of(&mut self, node: &Node<'t, '_>) -> Option<Arguments> {
        node.child(Rule::arguments).map(|arguments| self.arguments(&arguments))
    }

    /// The `value` among the children: an expression or a `match` of values.
    pub(super) fn value_of(&mut self, node: &Node<'t, '_>) -> Expr {
        match node.child(Rule::value) {
            Some(value) => self.expr(&value),
            None => missing(node.span()),
        }
    }

    fn value_match(&mut self, node: &Node<'t, '_>) -> Expr {
        let subject = self.operand_of(node);
        let lines: Vec<_> = self.lines_of(node).collect();
        let arms = lines.into_iter().map(|(line, arm)| ValueArm {
            patterns: self.patterns_of(&arm),
            value: self.value_of(&arm),
            span: self.line_span(line),
        });
        let arms = arms.collect();
        let keyword = node.first_span();
        Expr { kind: ExprKind::Match(Box::new(ValueMatch { keyword, subject, arms })), span: node.span_with_block() }
    }

    pub(super) fn patterns_of(&mut self, arm: &Node<'t, '_>) -> Vec<Pattern> {
        let patterns = arm.child(Rule::patterns);
        let patterns = patterns.iter().flat_map(|patterns| patterns.children(Rule::pattern));
        patterns.map(|pattern| self.pattern(&pattern)).collect()
    }

    fn pattern(&mut self, node: &Node<'t, '_>) -> Pattern {
        let span = node.span();
        let Some(inner) = node.first() else { return Pattern { kind: PatternKind::None, span } };
        let kind = match inner.rule() {
            Rule::else_pattern => PatternKind::Else,
            Rule::some_pattern => PatternKind::Some { name: self.name_of(&inner, Rule::name) },
            Rule::none_pattern => PatternKind::None,
            Rule::range_pattern => {
                let mut bounds = inner.inner().map(|bound| self.expr(&bound)).collect::<Vec<_>>().into_iter();
                let low = bounds.next().unwrap_or_else(|| missing(span));
                let high = bounds.next().unwrap_or_else(|| missing(span));
                PatternKind::Range { low, high }
            }
            Rule::literal_pattern => PatternKind::Literal(self.first_expr(&inner)),
            _ => self.named_pattern(&inner),
        };
        Pattern { kind, span }
    }

    fn named_pattern(&mut self, node: &Node<'t, '_>) -> PatternKind {
        let path = self.path_of(node);
        if let Some(names) = node.child(Rule::pattern_names) {
            let names = names.inner().map(|name| self.name(&name)).collect();
            return PatternKind::Variant { path, names };
        }
        let Some(name) = node.child(Rule::name) else { return PatternKind::Name(path) };
        let outcome = Name {
            text: path.names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join("."),
            span: path.span,
        };
        let name = self.name(&name);
        if !CARRYING.contains(&outcome.text.as_str()) {
            let problem = payload_on_plain(&outcome, &name, node.span());
            self.report(problem);
        }
        PatternKind::Bound { outcome, name }
    }

    pub(super) fn type_name_of(&mut self, node: &Node<'t, '_>) -> Option<Type> {
        node.child(Rule::type_name).map(|ty| self.type_name(&ty))
    }

    fn type_name(&mut self, node: &Node<'t, '_>) -> Type {
        let mut ty = Type { kind: TypeKind::Named(Path { names: Vec::new(), span: node.span() }), span: node.span() };
        for part in node.inner() {
            let span = part.span();
            match part.rule() {
                Rule::path => ty = Type { kind: TypeKind::Named(self.path(&part)), span },
                Rule::list_type => {
                    let inner = self.type_name_of(&part).unwrap_or_else(|| ty.clone());
                    ty = Type { kind: TypeKind::List(Box::new(inner)), span };
                }
                Rule::ranged_type => {
                    let mut bounds =
                        part.children(Rule::bound).map(|bound| Box::new(self.expr(&bound))).collect::<Vec<_>>();
                    let high = bounds.pop().unwrap_or_else(|| Box::new(missing(span)));
                    let low = bounds.pop().unwrap_or_else(|| Box::new(missing(span)));
                    ty = Type { kind: TypeKind::Ranged { base: self.name_of(&part, Rule::name), low, high }, span };
                }
                Rule::optional => {
                    let span = ty.span.to(span);
                    ty = Type { kind: TypeKind::Optional(Box::new(ty)), span };
                }
                _ => {}
            }
        }
        match node.keyword(Rule::kw_private) {
            Some(keyword) => Type { kind: TypeKind::Private { keyword, inner: Box::new(ty) }, span: node.span() },
            None => ty,
        }
    }

    /// The parameters or fields between parentheses, if there are any.
    pub(super) fn fields_of(&mut self, node: &Node<'t, '_>, rule: Rule) -> Vec<Field> {
        let fields = node.child(rule);
        let fields = fields.iter().flat_map(|fields| fields.inner());
        fields.map(|field| self.field(&field)).collect()
    }

    pub(super) fn field(&mut self, node: &Node<'t, '_>) -> Field {
        let name = node.first().map(|name| self.name(&name));
        let name = name.unwrap_or(Name { text: String::new(), span: node.span() });
        let missing = Type { kind: TypeKind::Named(Path { names: Vec::new(), span: node.span() }), span: node.span() };
        let ty = self.type_name_of(node).unwrap_or(missing);
        Field { docs: Vec::new(), name, ty, span: node.span() }
    }
}

/// Outcomes behind which one name stands.
const CARRYING: [&str; 2] = ["ok", "served"];
/// The other outcomes of all interactions that have a block of arms (language.md, "Interaction statements").
const PLAIN: [&str; 16] = [
    "failed",
    "callback",
    "timeout",
    "full",
    "closed",
    "unstaffed",
    "ended",
    "busy",
    "unanswered",
    "declined",
    "unreachable",
    "person",
    "machine",
    "delivered",
    "undelivered",
    "hangup",
];

/// `timeout full`, `failed x`, `faild x`, `later time`: a name where the pattern has no place for one.
fn payload_on_plain(outcome: &Name, name: &Name, span: Span) -> Diagnostic {
    let code = Code::PayloadOnPlainOutcome;
    let message = format!("`{}` carries nothing that `{}` could name", outcome.text, name.text);
    let behind = outcome.span.after();
    let rest = behind.to(name.span);
    let is_plain = |word: &str| PLAIN.contains(&word);
    if is_plain(&outcome.text) && (is_plain(&name.text) || CARRYING.contains(&name.text.as_str())) {
        let help = format!("`{}, {}`", outcome.text, name.text);
        return Diagnostic::new(code, span, message).help(help).edit("write the comma", behind, ",").certain();
    }
    if is_plain(&outcome.text) {
        return Diagnostic::new(code, span, message).help(format!("`{}`", outcome.text)).edit(
            "leave the name out",
            rest,
            "",
        );
    }
    let Some(meant) = nearest(&outcome.text, CARRYING.into_iter().chain(PLAIN)) else {
        let help = format!("`{}({})`", outcome.text, name.text);
        let edit = format!("({})", name.text);
        return Diagnostic::new(code, span, message).help(help).edit("name what the variant carries", rest, edit);
    };
    let message = format!("no outcome is called `{}`", outcome.text);
    let (place, help) = match is_plain(meant) {
        true => (span, meant.to_owned()),
        false => (outcome.span, format!("{meant} {}", name.text)),
    };
    Diagnostic::new(Code::OutcomeImpossible, outcome.span, message).help(format!("`{help}`")).edit(
        format!("write `{help}`"),
        place,
        meant,
    )
}

/// Stands for a value that was not understood.
pub(super) fn missing(span: Span) -> Expr {
    Expr { kind: ExprKind::Missing, span }
}

fn binary(left: Expr, operator: BinaryOperator, operator_span: Span, right: Expr) -> Expr {
    let span = left.span.to(right.span);
    Expr { kind: ExprKind::Binary { operator, operator_span, left: Box::new(left), right: Box::new(right) }, span }
}

fn binary_operator(node: &Node) -> Option<BinaryOperator> {
    match node.rule() {
        Rule::kw_or => return Some(BinaryOperator::Or),
        Rule::kw_and => return Some(BinaryOperator::And),
        Rule::comparing | Rule::adding | Rule::multiplying => {}
        _ => return None,
    }
    Some(match node.text() {
        "==" => BinaryOperator::Equal,
        "!=" => BinaryOperator::NotEqual,
        "<" => BinaryOperator::Less,
        "<=" => BinaryOperator::LessOrEqual,
        ">" => BinaryOperator::Greater,
        ">=" => BinaryOperator::GreaterOrEqual,
        "+" => BinaryOperator::Add,
        "-" => BinaryOperator::Subtract,
        "*" => BinaryOperator::Multiply,
        _ => BinaryOperator::Divide,
    })
}
