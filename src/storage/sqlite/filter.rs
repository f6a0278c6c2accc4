//! Translates filters to SQL, as far as SQL gives MongoDB's results. `matches` tests the rest, row by row, inside the statement.
//!
//! Every piece of SQL made here lets through at least the rows that match. It is *exact* when it lets through no others;
//! conditions that are not exact are prepared as matchers besides.

use std::borrow::Cow;

use rusqlite::types::Value as Sql;

use super::catalog::Table;
use super::functions;
use super::keys;
use super::names::literal;
use super::text::TextQuery;
use crate::model::columns;
use crate::model::query::compare::stored;
use crate::model::query::filter::{Constraint, Filter, Regex, Resolved};
use crate::model::query::matches::Matcher;
use crate::model::query::path::Path;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::shape::NULL_POINTER;
use crate::model::value::{GeoPoint, Value};
use crate::storage::{Result, StorageError};

/// A condition with more terms is left to the matcher, because SQLite bounds the size of expressions.
const MAX_TERMS: usize = 300;
/// A condition that is nested deeper is left to the matcher, too.
const MAX_NESTING: usize = 40;
/// Lists up to this length become a parameter each, so that short ones share statements.
const SHORT_LIST: usize = 8;

/// A filter ready to run on one table.
#[derive(Debug, Default)]
pub struct Plan {
    /// Condition in SQL; empty: all rows.
    pub condition: String,
    /// Its parameters.
    pub parameters: Vec<Sql>,
    /// The condition that the matcher tests each row against.
    pub rest: Vec<Matcher>,
    /// A text search that each row must match, with its fields.
    pub text: Option<(Vec<Path>, TextQuery)>,
    /// Whether a row is asked for by its id: no more than one row is looked at.
    pub by_id: bool,
    /// The field and point from which the distance is the natural order.
    pub near: Option<(String, GeoPoint)>,
}

/// What the translation needs to know of the class.
#[derive(Debug, Clone, Copy)]
pub struct ColumnInfo<'a> {
    /// The class.
    pub schema: &'a ClassSchema,
    /// Its indexes.
    pub table: &'a Table,
    /// Whether texts are compared without case.
    pub folded: bool,
}

/// A condition in SQL.
#[derive(Debug)]
struct Piece {
    sql: String,
    parameters: Vec<Sql>,
    exact: bool,
    terms: usize,
}

impl Piece {
    /// A condition that every row meets: the matcher decides.
    const fn open(exact: bool) -> Self {
        Self { sql: String::new(), parameters: Vec::new(), exact, terms: 0 }
    }

    fn never() -> Self {
        Self { sql: "0".to_owned(), parameters: Vec::new(), exact: true, terms: 1 }
    }

    fn exact(sql: impl Into<String>, parameters: Vec<Sql>) -> Self {
        Self { sql: sql.into(), parameters, exact: true, terms: 1 }
    }

    fn wider(sql: impl Into<String>, parameters: Vec<Sql>) -> Self {
        Self { sql: sql.into(), parameters, exact: false, terms: 1 }
    }

    const fn is_open(&self) -> bool {
        self.sql.is_empty()
    }

    fn join(parts: Vec<Self>, word: &str) -> Self {
        let mut all = Self::open(true);
        for part in parts {
            all.exact &= part.exact;
            if part.is_open() {
                continue;
            }
            if !all.is_open() {
                all.sql.push_str(word);
            }
            all.sql.push('(');
            all.sql.push_str(&part.sql);
            all.sql.push(')');
            all.parameters.extend(part.parameters);
            all.terms += part.terms;
        }
        if all.terms > MAX_TERMS { Self::open(false) } else { all }
    }
}

/// Prepares a filter for a table.
///
/// # Errors
/// `Refused` for patterns that are broken, and for a text search inside an alternative.
pub fn plan(filter: &Resolved, known: ColumnInfo<'_>) -> Result<Plan> {
    let mut plan = Plan::default();
    let mut pieces = Vec::new();
    add(filter, known, &mut plan, &mut pieces)?;
    let mut kept = Vec::new();
    let mut terms = 0;
    for (mut piece, part) in pieces {
        terms += piece.terms;
        if terms > MAX_TERMS {
            terms -= piece.terms;
            piece = Piece::open(false);
        }
        if !piece.exact {
            plan.rest.push(matcher(part, known.schema)?);
        }
        kept.push(Piece { exact: true, ..piece });
    }
    let condition = Piece::join(kept, " AND ");
    plan.condition = condition.sql;
    plan.parameters = condition.parameters;
    Ok(plan)
}

fn matcher(filter: &Resolved, schema: &ClassSchema) -> Result<Matcher> {
    Matcher::for_class(filter, schema).map_err(|error| StorageError::Refused(error.message.into_owned()))
}

/// Adds a condition that must hold along with others.
fn add<'a>(
    filter: &'a Resolved,
    known: ColumnInfo<'_>,
    plan: &mut Plan,
    pieces: &mut Vec<(Piece, &'a Resolved)>,
) -> Result<()> {
    match filter {
        Filter::And(parts) if parts.len() <= MAX_TERMS => {
            for part in parts {
                add(part, known, plan, pieces)?;
            }
        }
        Filter::Field { path, constraint: Constraint::Text(search) } => {
            if plan.text.is_some() {
                return Err(StorageError::Refused("Too many text expressions".to_owned()));
            }
            let indexed = known.table.text_fields();
            let fields = if indexed.is_empty() { std::slice::from_ref(path) } else { indexed };
            let query = TextQuery::new(search).map_err(|error| StorageError::Refused(error.message.into_owned()))?;
            plan.text = Some((fields.iter().map(|field| Path::new(field)).collect(), query));
        }
        other => {
            plan.by_id |= matches!(other, Filter::Field { path, constraint: Constraint::Eq(_) } if path == "objectId");
            if let Filter::Field { path, constraint: Constraint::Near { point, .. } } = other {
                plan.near = Some((path.clone(), *point));
            }
            pieces.push((compile(other, known, 0), other));
        }
    }
    Ok(())
}

fn compile(filter: &Resolved, known: ColumnInfo<'_>, depth: usize) -> Piece {
    if depth > MAX_NESTING {
        return Piece::open(false);
    }
    match filter {
        Filter::All => Piece::open(true),
        Filter::Never => Piece::never(),
        Filter::And(parts) if parts.len() <= MAX_TERMS => {
            Piece::join(parts.iter().map(|part| compile(part, known, depth + 1)).collect(), " AND ")
        }
        Filter::Or(parts) if parts.len() <= MAX_TERMS => alternatives(parts, known, depth),
        Filter::Nor(parts) if parts.len() <= MAX_TERMS => {
            let any = alternatives(parts, known, depth);
            if !any.exact {
                Piece::open(false)
            } else if any.is_open() {
                Piece::never()
            } else {
                Piece { sql: format!("NOT coalesce({},0)", any.sql), ..any }
            }
        }
        Filter::And(_) | Filter::Or(_) | Filter::Nor(_) => Piece::open(false),
        Filter::Field { path, constraint } => field(path, constraint, known),
        Filter::Unresolved(never) => match *never {},
    }
}

fn alternatives(parts: &[Resolved], known: ColumnInfo<'_>, depth: usize) -> Piece {
    let parts: Vec<Piece> = parts.iter().map(|part| compile(part, known, depth + 1)).collect();
    if parts.is_empty() {
        return Piece::never();
    }
    if parts.iter().any(Piece::is_open) {
        // One of them lets everything through.
        return Piece::open(parts.iter().any(|part| part.is_open() && part.exact));
    }
    let joined = Piece::join(parts, " OR ");
    Piece { sql: if joined.is_open() { String::new() } else { format!("({})", joined.sql) }, ..joined }
}

/// Whether a value has one key by which it is found.
const fn is_atom(value: &Value) -> bool {
    match value {
        Value::Null | Value::Boolean(_) | Value::Number(_) | Value::String(_) | Value::Date(_) | Value::Pointer(_) => {
            true
        }
        Value::Bytes(_)
        | Value::Relation(_)
        | Value::GeoPoint(_)
        | Value::Polygon(_)
        | Value::File(_)
        | Value::Array(_)
        | Value::Object(_) => false,
    }
}

/// Whether a field of this type never holds an array (or a point, which is stored as one).
#[must_use]
pub const fn is_scalar(kind: &FieldType) -> bool {
    match kind {
        FieldType::String
        | FieldType::Number
        | FieldType::Boolean
        | FieldType::Date
        | FieldType::Pointer(_)
        | FieldType::File => true,
        FieldType::Object
        | FieldType::Array
        | FieldType::Bytes
        | FieldType::GeoPoint
        | FieldType::Polygon
        | FieldType::Acl
        | FieldType::Relation(_) => false,
    }
}

/// The path where the data of a way to log in is kept.
#[must_use]
pub fn column(path: &str) -> String {
    columns::path(path).into_owned()
}

fn field(path: &str, constraint: &Constraint, known: ColumnInfo<'_>) -> Piece {
    if path == "objectId" {
        return id(constraint);
    }
    let path = column(path);
    let column = Column {
        known,
        scalar: known.schema.kind(&path).is_some_and(is_scalar),
        dotted: path.contains('.'),
        path: &path,
    };
    match constraint {
        Constraint::Eq(value) => column.among(std::slice::from_ref(value)),
        Constraint::In(values) => column.among(values),
        Constraint::Ne(value) => column.not_among(std::slice::from_ref(value)),
        Constraint::NotIn(values) => column.not_among(values),
        Constraint::Lt(value) => column.range(value, "<"),
        Constraint::Lte(value) => column.range(value, "<="),
        Constraint::Gt(value) => column.range(value, ">"),
        Constraint::Gte(value) => column.range(value, ">="),
        Constraint::Exists(there) if matches!(known.schema.kind(&path), Some(FieldType::Pointer(_))) => {
            let not = if *there { "" } else { "NOT " };
            let (field, mark) = (literal(&path), literal(&format!("{NULL_POINTER}{path}")));
            let null = keys::top_key(&Value::Null, false);
            let sql = format!("{not}((rhas(body,{field}) AND rk(body,{field}) <> ?) OR rhas(body,{mark}))");
            Piece::exact(sql, vec![Sql::Blob(null)])
        }
        Constraint::Exists(there) if !column.dotted => {
            Piece::exact(format!("{}rhas(body,{})", if *there { "" } else { "NOT " }, literal(&path)), Vec::new())
        }
        Constraint::Regex(regex) => column.prefix(regex),
        Constraint::Exists(_)
        | Constraint::All(_)
        | Constraint::AllRegex(_)
        | Constraint::ContainedBy(_)
        | Constraint::Text(_)
        | Constraint::Near { .. }
        | Constraint::WithinBox { .. }
        | Constraint::WithinPolygon(_)
        | Constraint::WithinSphere { .. }
        | Constraint::IntersectsPoint(_) => Piece::open(false),
    }
}

/// Conditions on `objectId`, which is a column.
fn id(constraint: &Constraint) -> Piece {
    let list = |values: &[Value], negated: bool| {
        let stored: Vec<Cow<'_, Value>> = values.iter().map(stored).collect();
        let texts: Vec<&str> =
            stored.iter().filter_map(|value| value.as_str()).filter(|text| !text.contains('\0')).collect();
        let word = if negated { "NOT IN" } else { "IN" };
        match texts.as_slice() {
            [] if negated => Piece::open(true),
            [] => Piece::never(),
            [one] => Piece::exact(if negated { "id <> ?" } else { "id = ?" }, vec![Sql::Text((*one).to_owned())]),
            many => {
                let list = serde_json::to_string(many).unwrap_or_default();
                Piece::exact(format!("id {word} (SELECT value FROM json_each(?))"), vec![Sql::Text(list)])
            }
        }
    };
    let range = |value: &Value, operator: &str| match &*stored(value) {
        Value::String(text) => Piece::exact(format!("id {operator} ?"), vec![Sql::Text(text.clone())]),
        Value::Null | Value::Array(_) => Piece::open(false),
        _ => Piece::never(),
    };
    match constraint {
        Constraint::Eq(value) => list(std::slice::from_ref(value), false),
        Constraint::In(values) => list(values, false),
        Constraint::Ne(value) => list(std::slice::from_ref(value), true),
        Constraint::NotIn(values) => list(values, true),
        Constraint::Lt(value) => range(value, "<"),
        Constraint::Lte(value) => range(value, "<="),
        Constraint::Gt(value) => range(value, ">"),
        Constraint::Gte(value) => range(value, ">="),
        Constraint::Exists(true) => Piece::open(true),
        Constraint::Exists(false) => Piece::never(),
        Constraint::All(_)
        | Constraint::AllRegex(_)
        | Constraint::ContainedBy(_)
        | Constraint::Regex(_)
        | Constraint::Text(_)
        | Constraint::Near { .. }
        | Constraint::WithinBox { .. }
        | Constraint::WithinPolygon(_)
        | Constraint::WithinSphere { .. }
        | Constraint::IntersectsPoint(_) => Piece::open(false),
    }
}

struct Column<'a> {
    known: ColumnInfo<'a>,
    path: &'a str,
    scalar: bool,
    dotted: bool,
}

impl Column<'_> {
    /// The expression of the key, written as the index has it if there is one.
    fn key(&self, may_be_missing: bool) -> String {
        let sparse = !may_be_missing && self.known.table.sparse(self.path, self.known.folded) == Some(true);
        expression(self.path, sparse, self.known.folded)
    }

    fn indexed(&self) -> bool {
        self.known.table.sparse(self.path, self.known.folded).is_some()
    }

    fn top(&self, value: &Value) -> Sql {
        Sql::Blob(keys::top_key(value, self.known.folded))
    }

    /// A condition that the key is among these.
    fn listed(key: &str, values: Vec<Vec<u8>>, negated: bool) -> (String, Vec<Sql>) {
        let not = if negated { "NOT " } else { "" };
        if values.len() <= SHORT_LIST {
            let marks = vec!["?"; values.len()].join(",");
            return (format!("{key} {not}IN ({marks})"), values.into_iter().map(Sql::Blob).collect());
        }
        let mut list = String::from("[");
        for (at, value) in values.iter().enumerate() {
            list.push_str(if at > 0 { ",\"" } else { "\"" });
            for byte in value {
                for digit in [byte >> 4, byte & 15] {
                    list.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                }
            }
            list.push('"');
        }
        list.push(']');
        (format!("{key} {not}IN (SELECT unhex(value) FROM json_each(?))"), vec![Sql::Text(list)])
    }

    fn among(&self, values: &[Value]) -> Piece {
        if values.is_empty() {
            return Piece::never();
        }
        if !values.iter().all(is_atom) {
            return Piece::open(false);
        }
        let null = values.iter().any(Value::is_null);
        if self.dotted {
            if null || !self.indexed() {
                return Piece::open(false);
            }
            let mut wanted: Vec<Vec<u8>> = values.iter().map(|value| keys::key(value, self.known.folded)).collect();
            wanted.push(vec![keys::ARRAY]);
            let (sql, parameters) = Self::listed(&self.key(false), wanted, false);
            return Piece { exact: false, ..Piece::wider(sql, parameters) };
        }
        if self.scalar {
            if let [value] = values {
                return Piece::exact(format!("{} = ?", self.key(null)), vec![self.top(value)]);
            }
            let wanted = values.iter().map(|value| keys::top_key(value, self.known.folded)).collect();
            let (sql, parameters) = Self::listed(&self.key(null), wanted, false);
            return Piece::exact(sql, parameters);
        }
        let mut piece = self.any_of(values);
        if !null && self.indexed() {
            let mut wanted: Vec<Vec<u8>> = values.iter().map(|value| keys::top_key(value, self.known.folded)).collect();
            wanted.push(vec![keys::ARRAY]);
            let (sql, mut parameters) = Self::listed(&self.key(false), wanted, false);
            parameters.append(&mut piece.parameters);
            piece = Piece::exact(format!("{sql} AND {}", piece.sql), parameters);
        }
        piece
    }

    fn any_of(&self, values: &[Value]) -> Piece {
        let folded = self.known.folded;
        let sql = format!("rany(body,{},?,{})", literal(self.path), i32::from(folded));
        Piece::exact(sql, vec![Sql::Blob(functions::pack(values, folded))])
    }

    fn not_among(&self, values: &[Value]) -> Piece {
        if values.is_empty() {
            return Piece::open(true);
        }
        if self.dotted || !values.iter().all(is_atom) {
            return Piece::open(false);
        }
        if self.scalar {
            let wanted = values.iter().map(|value| keys::top_key(value, self.known.folded)).collect();
            let (sql, parameters) = Self::listed(&expression(self.path, false, self.known.folded), wanted, true);
            return Piece::exact(sql, parameters);
        }
        let piece = self.any_of(values);
        Piece { sql: format!("NOT {}", piece.sql), ..piece }
    }

    fn range(&self, value: &Value, operator: &str) -> Piece {
        if self.dotted || !self.scalar || value.is_null() || !is_atom(value) {
            return Piece::open(false);
        }
        let wanted = keys::top_key(value, self.known.folded);
        let Some(bracket) = wanted.first().copied() else { return Piece::open(false) };
        let key = self.key(false);
        // Only values of the same type are compared.
        let sql = if operator.starts_with('<') {
            format!("{key} {operator} ? AND {key} >= x'{bracket:02x}'")
        } else {
            format!("{key} {operator} ? AND {key} < x'{:02x}'", bracket + 1)
        };
        Piece::exact(sql, vec![Sql::Blob(wanted)])
    }

    /// A pattern that begins with literal text narrows the search.
    fn prefix(&self, regex: &Regex) -> Piece {
        if self.dotted || !self.scalar || self.known.folded {
            return Piece::open(false);
        }
        let Some(prefix) = literal_prefix(regex) else { return Piece::open(false) };
        let key = self.key(false);
        let low = keys::key(&Value::String(prefix), false);
        let mut high = low.clone();
        high.push(0xFF);
        Piece::wider(format!("{key} >= ? AND {key} < ?"), vec![Sql::Blob(low), Sql::Blob(high)])
    }
}

/// The text every match begins with, when the pattern shows it plainly.
fn literal_prefix(regex: &Regex) -> Option<String> {
    if !regex.options.is_empty() {
        return None;
    }
    let rest = regex.pattern.strip_prefix('^')?;
    let prefix = if let Some(quoted) = rest.strip_prefix("\\Q") {
        let (text, after) = quoted.split_once("\\E").unwrap_or((quoted, ""));
        // An alternative after the quotation would make it one of two.
        if after.contains('|') {
            return None;
        }
        text
    } else {
        if rest.contains('|') {
            return None;
        }
        let end = rest
            .find(|letter: char| !letter.is_ascii_alphanumeric() && letter != ' ' && letter != '_' && letter != '-');
        match end {
            None => rest,
            // What follows may make the last letter optional.
            Some(end) => rest.get(..end.saturating_sub(1))?,
        }
    };
    // Quantifiers after a quotation apply to its last letter.
    let prefix = if rest.starts_with("\\Q") { drop_last(prefix) } else { prefix };
    (!prefix.is_empty()).then(|| prefix.to_owned())
}

fn drop_last(text: &str) -> &str {
    text.char_indices().next_back().and_then(|(at, _)| text.get(..at)).unwrap_or_default()
}

/// The key of a field in SQL, written as in indexes.
#[must_use]
pub fn expression(path: &str, sparse: bool, folded: bool) -> String {
    let function = match (sparse, folded) {
        (false, false) => "rk",
        (true, false) => "rks",
        (false, true) => "rkc",
        (true, true) => "rkcs",
    };
    format!("{function}(body,{})", literal(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes() {
        let prefix = |pattern: &str| literal_prefix(&Regex { pattern: pattern.to_owned(), options: String::new() });
        assert_eq!(prefix("^abc").as_deref(), Some("abc"));
        assert_eq!(prefix("^abc*").as_deref(), Some("ab"));
        assert_eq!(prefix("^a.c").as_deref(), None);
        assert_eq!(prefix("^\\Qa.c\\E").as_deref(), Some("a."));
        assert_eq!(prefix("^\\Qabc\\E?").as_deref(), Some("ab"));
        assert_eq!(prefix("^\\Qab\\E|x"), None);
        assert_eq!(prefix("^ab|x"), None);
        assert_eq!(prefix("abc"), None);
    }
}
