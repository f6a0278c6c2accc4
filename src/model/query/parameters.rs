//! Parses the parameters of find and get.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::atoms::javascript_text;
use super::options::{ReadPreference, Sort};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::is_truthy;
use crate::model::names::{FieldPath, is_valid_field_name};
use crate::model::shape::ALWAYS_SHOWN;

/// The parameters of a find or get besides the condition, which [`super::parse`] parses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryParameters {
    /// Sort order; may contain fields that do not exist.
    pub order: Vec<Sort>,
    /// Maximum number of rows, if given.
    pub limit: Option<u64>,
    /// Number of rows to skip.
    pub skip: u64,
    /// Requested fields (dotted ones select fields of included objects); `None` means all.
    pub keys: Option<Vec<String>>,
    /// Excluded fields, possibly dotted.
    pub exclude_keys: Vec<String>,
    /// Pointers to include.
    pub include: Include,
    /// Whether the number of matching rows is requested.
    pub count: bool,
    /// The relation or pointer field whose target class is queried instead.
    pub redirect_key: Option<String>,
    /// Read preferences.
    pub read_preferences: ReadPreferences,
    /// Index to use: a name or its keys.
    pub hint: Option<Json>,
    /// The verbosity of the plan, if it is requested instead of rows.
    pub explain: Option<String>,
    /// Comment for the database's log.
    pub comment: Option<String>,
}

/// Read preferences of the parts of a query; `None` means the default.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ReadPreferences {
    /// The query itself.
    pub rows: Option<ReadPreference>,
    /// Included objects.
    pub included: Option<ReadPreference>,
    /// Sub-queries in the condition.
    pub sub_queries: Option<ReadPreference>,
}

/// Which pointers to replace by the objects they lead to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Include {
    /// All pointers and arrays of the class itself.
    pub all: bool,
    /// Paths as given, without duplicates.
    pub named: Vec<String>,
    /// Paths to follow, prefixes before what they are prefixes of; also those that dotted `keys` need.
    pub paths: Vec<String>,
}

impl Include {
    /// Whether nothing is to be followed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        !self.all && self.paths.is_empty()
    }
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, message)
}

impl QueryParameters {
    /// Reads the parameters of a find: the condition, an empty object when none was given, and the others. Values from
    /// an address are JSON where they could be parsed, otherwise text. `may_explain`: the caller may ask for the plan.
    ///
    /// # Errors
    /// 102 for unknown parameters and bad values, 105 for bad names in the order, 107 for a condition that is no
    /// object.
    pub fn of_find(
        mut given: Map<String, Json>,
        may_explain: bool,
        most_names: usize,
    ) -> Result<(Map<String, Json>, Self)> {
        const KNOWN: [&str; 16] = [
            "where",
            "order",
            "limit",
            "skip",
            "keys",
            "excludeKeys",
            "include",
            "includeAll",
            "count",
            "redirectClassNameForKey",
            "readPreference",
            "includeReadPreference",
            "subqueryReadPreference",
            "hint",
            "explain",
            "comment",
        ];
        if let Some(name) = given.keys().find(|name| !KNOWN.contains(&name.as_str())) {
            let shown: String = name.chars().take(200).collect();
            return Err(refused(format!("Invalid parameter for query: {shown}")));
        }
        check_names(&given, most_names)?;
        let condition = condition(given.remove("where"))?;
        let explain = explain(given.get("explain"), may_explain)?;
        let (keys, exclude_keys) = selection(&given);
        let parameters = Self {
            order: given.get("order").map_or(Ok(Vec::new()), order)?,
            limit: limit(given.get("limit")),
            skip: skip(given.get("skip"))?,
            include: Include::parse(&given, keys.as_deref(), &exclude_keys),
            keys,
            exclude_keys,
            count: given.get("count").is_some_and(is_truthy),
            redirect_key: given.get("redirectClassNameForKey").filter(|key| is_truthy(key)).map(javascript_text),
            read_preferences: ReadPreferences::parse(&given)?,
            explain,
            comment: given.get("comment").and_then(Json::as_str).map(str::to_owned),
            hint: given.remove("hint").filter(|hint| match hint {
                Json::String(name) => !name.is_empty(),
                Json::Object(keys) => !keys.is_empty(),
                _ => false,
            }),
        };
        Ok((condition, parameters))
    }

    /// Reads the parameters of a get.
    ///
    /// # Errors
    /// 102 for parameters a get does not have, and bad values.
    pub fn of_get(given: &Map<String, Json>, most_names: usize) -> Result<Self> {
        const KNOWN: [&str; 6] =
            ["keys", "include", "excludeKeys", "readPreference", "includeReadPreference", "subqueryReadPreference"];
        if given.keys().any(|name| !KNOWN.contains(&name.as_str())) {
            return Err(refused("Improper encode of parameter"));
        }
        check_names(given, most_names)?;
        let (keys, exclude_keys) = selection(given);
        Ok(Self {
            include: Include::parse(given, keys.as_deref(), &exclude_keys),
            keys,
            exclude_keys,
            read_preferences: ReadPreferences::parse(given)?,
            ..Self::default()
        })
    }

    /// The parameters that ask for these fields (dotted ones reach into included objects) and follow these pointers.
    #[must_use]
    pub fn selecting(keys: Vec<String>, include: Vec<String>) -> Self {
        Self { include: Include::of(false, include, Some(&keys), &[]), keys: Some(keys), ..Self::default() }
    }
}

impl ReadPreferences {
    /// Reads `readPreference`, `includeReadPreference` and `subqueryReadPreference`; the latter two are as the first
    /// when they are missing.
    ///
    /// # Errors
    /// As [`read_preference`].
    pub fn parse(given: &Map<String, Json>) -> Result<Self> {
        let named = |name: &str| given.get(name).map_or(Ok(None), read_preference);
        let rows = named("readPreference")?;
        Ok(Self {
            rows,
            included: named("includeReadPreference")?.or(rows),
            sub_queries: named("subqueryReadPreference")?.or(rows),
        })
    }
}

impl Include {
    fn parse(given: &Map<String, Json>, keys: Option<&[String]>, excluded: &[String]) -> Self {
        let mut all = given.get("includeAll").is_some_and(is_truthy);
        let mut named: Vec<String> = Vec::new();
        for path in given.get("include").map(words).unwrap_or_default() {
            if path == "*" {
                all = true;
            } else if !path.is_empty() {
                named.push(path);
            }
        }
        Self::of(all, named, keys, excluded)
    }

    /// What to follow: all pointers and arrays of the class itself, paths, and the objects into which dotted `keys`
    /// and `excluded` reach.
    #[must_use]
    pub fn of(all: bool, mut named: Vec<String>, keys: Option<&[String]>, excluded: &[String]) -> Self {
        named.sort();
        named.dedup();
        // What is wanted, or not, of an included object tells that it is to be included.
        let dotted = keys.unwrap_or_default().iter().chain(excluded);
        let dotted = dotted.filter_map(|key| key.rsplit_once('.')).map(|(object, _)| object);
        let mut paths: Vec<String> = Vec::new();
        for path in named.iter().map(String::as_str).chain(dotted) {
            // A path deeper than any sensible one is followed no further.
            for (at, _) in path.match_indices('.').take(MAX_INCLUDE_DEPTH) {
                paths.extend(path.get(..at).map(str::to_owned));
            }
            if path.matches('.').count() < MAX_INCLUDE_DEPTH {
                paths.push(path.to_owned());
            }
        }
        paths.sort_by_cached_key(|path| (path.matches('.').count(), path.clone()));
        paths.dedup();
        Self { all, named, paths }
    }
}

/// Deepest include.
const MAX_INCLUDE_DEPTH: usize = 50;

/// Refuses lists of more names than a request may have in all of them together.
fn check_names(given: &Map<String, Json>, most: usize) -> Result<()> {
    let count = |value: &Json| match value {
        Json::String(text) => text.split(',').count(),
        Json::Array(list) => list.iter().map(|item| item.as_str().map_or(1, |text| text.split(',').count())).sum(),
        _ => 1,
    };
    let lists = ["keys", "excludeKeys", "include", "order"].into_iter().filter_map(|name| given.get(name));
    let names: usize = lists.map(count).sum();
    if names > most {
        return Err(refused(format!(
            "keys, excludeKeys, include and order may have {most} names together, not {names}"
        )));
    }
    Ok(())
}

/// A comma list; other values count as the text JavaScript makes of them.
fn words(value: &Json) -> Vec<String> {
    if !is_truthy(value) {
        return Vec::new();
    }
    let whole = value.as_str().map_or_else(|| javascript_text(value), str::to_owned);
    whole.split(',').map(|word| word.trim().to_owned()).collect()
}

fn condition(given: Option<Json>) -> Result<Map<String, Json>> {
    let invalid = || ParseError::new(ErrorCode::InvalidJson, "where parameter is not valid JSON");
    match given {
        None => Ok(Map::new()),
        Some(Json::Object(map)) => Ok(map),
        // An empty object as PHP writes it.
        Some(Json::Array(list)) if list.is_empty() => Ok(Map::new()),
        Some(Json::String(text)) => match serde_json::from_str(&text) {
            Ok(Json::Object(map)) => Ok(map),
            Ok(Json::Array(list)) if list.is_empty() => Ok(Map::new()),
            _ => Err(invalid()),
        },
        Some(_) => Err(invalid()),
    }
}

/// `keys` and `excludeKeys`; what is excluded is not wanted either.
fn selection(given: &Map<String, Json>) -> (Option<Vec<String>>, Vec<String>) {
    let list = |name: &str| given.get(name).filter(|value| !value.is_null()).map(words);
    let mut excluded = list("excludeKeys").unwrap_or_default();
    excluded.retain(|key| !key.is_empty() && !ALWAYS_SHOWN.contains(&key.as_str()));
    let keys = list("keys").map(|mut keys| {
        let excluded: HashSet<&str> = excluded.iter().map(String::as_str).collect();
        keys.retain(|key| !key.is_empty() && !excluded.contains(key.as_str()));
        keys
    });
    (keys, excluded)
}

/// Reads an order: `a,-b.c`. A field named twice keeps its first place and its last direction.
///
/// # Errors
/// 105 for names no field can have.
pub fn order(value: &Json) -> Result<Vec<Sort>> {
    let mut order: IndexMap<String, bool> = IndexMap::new();
    for word in words(value) {
        let (path, descending) = word.strip_prefix('-').map_or((word.as_str(), false), |path| (path, true));
        let path = match path {
            "_created_at" => "createdAt",
            "_updated_at" => "updatedAt",
            other => other,
        };
        let shown = || path.chars().take(200).collect::<String>();
        let mut parts = path.split('.');
        let root = parts.next().unwrap_or_default();
        if path != "$score" && (!is_valid_field_name(root) || FieldPath::parse(path).is_none()) {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Invalid field name: {}.", shown())));
        }
        if root == "authData" && parts.next().is_some() && parts.next() == Some("id") {
            return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Cannot sort by {}", shown())));
        }
        order.insert(path.to_owned(), descending);
    }
    Ok(order.into_iter().map(|(path, descending)| Sort { path, descending }).collect())
}

/// The number JavaScript reads from a value.
fn number(value: &Json) -> Option<f64> {
    match value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        Json::Bool(truth) => Some(f64::from(*truth)),
        _ => None,
    }
}

/// Negative limits count by their size; what is no number is dropped.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates, which suits a limit")]
fn limit(value: Option<&Json>) -> Option<u64> {
    let given = value.filter(|value| is_truthy(value) || value.is_number())?;
    number(given).map(|limit| limit.abs() as u64)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and the cast saturates")]
fn skip(value: Option<&Json>) -> Result<u64> {
    let skip = value.and_then(number).unwrap_or(0.0);
    if skip < 0.0 {
        return Err(refused("skip must not be negative"));
    }
    Ok(skip as u64)
}

/// Reads a read preference, in any case; what is no text is left out.
///
/// # Errors
/// 102 for unknown ones.
pub fn read_preference(value: &Json) -> Result<Option<ReadPreference>> {
    let Some(name) = value.as_str() else { return Ok(None) };
    Ok(Some(match name.to_ascii_uppercase().as_str() {
        "" => return Ok(None),
        "PRIMARY" => ReadPreference::Primary,
        "PRIMARY_PREFERRED" => ReadPreference::PrimaryPreferred,
        "SECONDARY" => ReadPreference::Secondary,
        "SECONDARY_PREFERRED" => ReadPreference::SecondaryPreferred,
        "NEAREST" => ReadPreference::Nearest,
        _ => return Err(refused("Not supported read preference.")),
    }))
}

fn explain(value: Option<&Json>, allowed: bool) -> Result<Option<String>> {
    const VERBOSITIES: [&str; 4] = ["queryPlanner", "queryPlannerExtended", "executionStats", "allPlansExecution"];
    let Some(value) = value.filter(|value| is_truthy(value)) else { return Ok(None) };
    if !allowed {
        return Err(refused("Using the explain query parameter requires the master key"));
    }
    match value {
        Json::Bool(_) => Ok(Some("allPlansExecution".to_owned())),
        Json::String(verbosity) if VERBOSITIES.contains(&verbosity.as_str()) => Ok(Some(verbosity.clone())),
        _ => Err(refused("Invalid value for explain")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(given: &Json) -> Result<QueryParameters> {
        QueryParameters::of_find(given.as_object().cloned().unwrap_or_default(), false, 1000)
            .map(|(_, parameters)| parameters)
    }

    #[test]
    fn refusals() {
        for (given, code, message) in [
            (json!({"foo": 1}), 102, "Invalid parameter for query: foo"),
            (json!({"where": "x"}), 107, "where parameter is not valid JSON"),
            (json!({"where": 5}), 107, "where parameter is not valid JSON"),
            (json!({"order": "a b"}), 105, "Invalid field name: a b."),
            (json!({"order": "$foo"}), 105, "Invalid field name: $foo."),
            (json!({"order": ",,"}), 105, "Invalid field name: ."),
            (json!({"order": "--n"}), 105, "Invalid field name: -n."),
            (json!({"order": "_rperm"}), 105, "Invalid field name: _rperm."),
            (json!({"order": 5}), 105, "Invalid field name: 5."),
            (json!({"order": {"n": 1}}), 105, "Invalid field name: [object Object]."),
            (json!({"order": "authData.x.id"}), 105, "Cannot sort by authData.x.id"),
            (json!({"skip": -1}), 102, "skip must not be negative"),
            (
                json!({"keys": "a,".repeat(600), "excludeKeys": ["b"], "include": "c".repeat(5), "order": "n,".repeat(400)}),
                102,
                "keys, excludeKeys, include and order may have 1000 names together, not 1004",
            ),
            (json!({"order": "o.a\0b"}), 105, "Invalid field name: o.a\0b."),
            (json!({"readPreference": "x"}), 102, "Not supported read preference."),
            (json!({"explain": "x"}), 102, "Using the explain query parameter requires the master key"),
        ] {
            let error = read(&given).expect_err(&given.to_string());
            assert_eq!((error.code.map(ErrorCode::number), &*error.message), (Some(code), message), "{given}");
        }
        let explain = |value: Json| {
            let given = Map::from_iter([("explain".to_owned(), value)]);
            QueryParameters::of_find(given, true, 1000).map(|(_, parameters)| parameters)
        };
        assert_eq!(explain(json!("x")).unwrap_err().message, "Invalid value for explain");
        assert_eq!(explain(json!("executionStats")).unwrap().explain.as_deref(), Some("executionStats"));
        assert_eq!(explain(json!(false)).unwrap().explain, None);
        for name in ["where", "includeAll", "limit", "foo"] {
            let error = QueryParameters::of_get(&Map::from_iter([(name.to_owned(), json!(1))]), 1000).unwrap_err();
            assert_eq!(error.message, "Improper encode of parameter");
        }
    }

    #[test]
    fn numbers() {
        for (given, limit, skip) in [
            (json!({}), None, 0),
            (json!({"limit": 0, "skip": "1"}), Some(0), 1),
            (json!({"limit": -2, "skip": 1.5}), Some(2), 1),
            (json!({"limit": "2", "skip": "x"}), Some(2), 0),
            (json!({"limit": "x", "skip": null}), None, 0),
            (json!({"limit": null}), None, 0),
            (json!({"limit": {}}), None, 0),
            (json!({"limit": 1e30, "skip": 1e30}), Some(u64::MAX), u64::MAX),
        ] {
            let parameters = read(&given).unwrap();
            assert_eq!((parameters.limit, parameters.skip), (limit, skip), "{given}");
        }
        for (count, expected) in
            [(json!(1), true), (json!(0), false), (json!("0"), true), (json!(""), false), (json!(true), true)]
        {
            assert_eq!(read(&json!({"count": count})).unwrap().count, expected);
        }
    }

    #[test]
    fn lists() {
        let parameters = read(&json!({
            "order": " n , -_created_at,$score",
            "keys": "n, t,up.name",
            "excludeKeys": "t,objectId",
            "include": "up.up, list,*",
        }))
        .unwrap();
        let order: Vec<(&str, bool)> =
            parameters.order.iter().map(|sort| (sort.path.as_str(), sort.descending)).collect();
        assert_eq!(order, [("n", false), ("createdAt", true), ("$score", false)]);
        assert_eq!(parameters.keys.as_deref(), Some(&["n".to_owned(), "up.name".to_owned()][..]));
        assert_eq!(parameters.exclude_keys, ["t"]);
        assert!(parameters.include.all);
        assert_eq!(parameters.include.paths, ["list", "up", "up.up"]);
        let named = |given: Json| read(&given).unwrap().read_preferences;
        let (near, second) = (Some(ReadPreference::Nearest), Some(ReadPreference::Secondary));
        assert_eq!(
            named(json!({"readPreference": "nearest", "subqueryReadPreference": "SECONDARY"})),
            ReadPreferences { rows: near, included: near, sub_queries: second }
        );
        assert_eq!(
            named(json!({"includeReadPreference": "SECONDARY"})),
            ReadPreferences { included: second, ..ReadPreferences::default() }
        );
    }
}
