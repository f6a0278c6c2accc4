//! Aggregations: MongoDB pipelines and distinct values of a field. They need the master key.

use serde_json::{Map, Value as Json, json};

use crate::domain::kernel::commands::FindQuery;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::permissions::Operation;
use crate::domain::permissions::{aggregation, scope};
use crate::domain::read::{resolve, triggers};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::files::addresses::FileAddresses;
use crate::model::names::ClassName;
use crate::model::query::options::ReadPreference;
use crate::model::{columns, json};
use crate::storage::AggregateOptions;

/// Stages that write; the read-only master key must not use them.
const WRITING_STAGES: [&str; 2] = ["$out", "$merge"];

/// Runs a pipeline (`pipeline`, a list or an object of stages, or the stages as parameters) or `distinct`, with the
/// options `where`, `hint`, `explain`, `comment`, `readPreference`, `rawValues`, `rawFieldNames`. Returns the resulting
/// rows.
///
/// # Errors
/// 403 without a master key, 119 for the read-only master key if aggregations or stages are not allowed to it, 102 for
/// an invalid pipeline.
pub async fn aggregate(cx: &Context, class: &str, mut parameters: Map<String, Json>) -> Result<Vec<Json>> {
    cx.require_master()?;
    let database = &cx.app.options.database.query;
    if cx.auth.is_read_only() && !cx.app.options.security.allow_aggregation_for_read_only_master_key {
        return Err(ParseError::new(
            ErrorCode::OperationForbidden,
            "Cannot run an aggregation pipeline when using the readOnlyMasterKey",
        ));
    }
    let options = options(&mut parameters, database.aggregation_raw_values, database.aggregation_raw_field_names)?;
    let distinct = parameters.remove("distinct").filter(|field| !field.is_null() && field.as_str() != Some(""));
    let condition = parameters.remove("where").filter(|condition| !condition.is_null());
    let stages = stages(parameters)?;
    if stages.iter().any(writes) {
        cx.refuse_read_only_write(Operation::Create)?;
    }
    aggregation::check(cx, &stages)?;
    let closed = |path: &str| cx.auth.is_read_only() && columns::leads_to_secret(path);
    let is_closed = || ParseError::forbidden("This field is closed to the read-only master key.");
    if distinct.as_ref().and_then(Json::as_str).is_some_and(closed) {
        return Err(is_closed());
    }
    let class_name = ClassName::unchecked(class);
    triggers::before_aggregate(cx, &class_name, &stages).await?;
    let schemas = cx.schemas();
    let Some(class) = schemas.get(&class_name) else { return Ok(Vec::new()) };
    if let Some(field) = distinct {
        let Json::String(field) = field else {
            return Err(refused("distinct must be the name of a field"));
        };
        let find = condition.map(|condition| ("where".to_owned(), condition));
        let query = FindQuery::read(cx, class.schema.name.as_str(), Map::from_iter(find))?;
        if query.filter.paths().into_iter().any(closed) {
            return Err(is_closed());
        }
        let filter = resolve::resolve(cx, class, query.filter, resolve::SubQueryContext::default()).await?;
        let scope = scope::scope(cx, class, Operation::Find, filter, None).await?;
        let values = cx.app.storage.distinct(&class.schema, &field, scope.filter()).await.map_err(failure)?;
        return Ok(values.iter().map(json::encode).collect());
    }
    let mut results = cx.app.storage.aggregate(&class.schema, stages, &options).await.map_err(failure)?;
    aggregation::redact(cx, &mut results);
    let addresses = cx.file_addresses();
    for result in &mut results {
        complete_files(result, &addresses);
    }
    Ok(results)
}

/// Adds the addresses of files, at any depth.
fn complete_files(value: &mut Json, addresses: &FileAddresses) {
    match value {
        Json::Array(list) => list.iter_mut().for_each(|value| complete_files(value, addresses)),
        Json::Object(map) => {
            let name = map.get("name").and_then(Json::as_str).filter(|_| !map.contains_key("url"));
            match name
                .filter(|_| map.get("__type").and_then(Json::as_str) == Some("File"))
                .map(|name| addresses.of(name))
            {
                Some(url) => {
                    map.insert("url".to_owned(), url.into());
                }
                None => map.values_mut().for_each(|value| complete_files(value, addresses)),
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, message)
}

/// Removes the options from the parameters.
fn options(parameters: &mut Map<String, Json>, raw_values: bool, raw_field_names: bool) -> Result<AggregateOptions> {
    let hint = parameters.remove("hint").filter(|hint| !hint.is_null() && hint.as_str() != Some(""));
    let explain = match parameters.remove("explain") {
        None | Some(Json::Null | Json::Bool(false)) => None,
        Some(Json::Bool(true)) => Some("queryPlanner".to_owned()),
        Some(Json::String(verbosity))
            if matches!(
                verbosity.as_str(),
                "queryPlanner" | "queryPlannerExtended" | "executionStats" | "allPlansExecution"
            ) =>
        {
            Some(verbosity)
        }
        Some(_) => return Err(refused("Invalid value for explain")),
    };
    let comment = match parameters.remove("comment") {
        Some(Json::String(comment)) => Some(comment),
        _ => None,
    };
    let read_preference = match parameters.remove("readPreference") {
        None | Some(Json::Null) => None,
        Some(name) => Some(read_preference(name.as_str()).ok_or_else(|| refused("Not supported read preference."))?),
    };
    let mut flag = |name: &str, default: bool| match parameters.remove(name) {
        Some(Json::Bool(given)) => given,
        _ => default,
    };
    Ok(AggregateOptions {
        hint,
        comment,
        read_preference,
        explain,
        raw_values: flag("rawValues", raw_values),
        raw_field_names: flag("rawFieldNames", raw_field_names),
    })
}

fn read_preference(name: Option<&str>) -> Option<ReadPreference> {
    Some(match name?.to_ascii_uppercase().as_str() {
        "PRIMARY" => ReadPreference::Primary,
        "PRIMARY_PREFERRED" => ReadPreference::PrimaryPreferred,
        "SECONDARY" => ReadPreference::Secondary,
        "SECONDARY_PREFERRED" => ReadPreference::SecondaryPreferred,
        "NEAREST" => ReadPreference::Nearest,
        _ => return None,
    })
}

/// The stages, each an object with one key that begins with `$`.
fn stages(mut parameters: Map<String, Json>) -> Result<Vec<Json>> {
    let one_each = |map: Map<String, Json>| map.into_iter().map(|(name, content)| json!({ name: content })).collect();
    let mut stages: Vec<Json> = match parameters.remove("pipeline") {
        Some(Json::Array(stages)) => stages,
        Some(Json::Object(stages)) => one_each(stages),
        None | Some(Json::Null) => one_each(parameters),
        Some(_) => return Err(refused("pipeline must be an array or an object of stages")),
    };
    for stage in &mut stages {
        check_stage(stage)?;
        group_all(stage);
    }
    Ok(stages)
}

fn check_stage(stage: &Json) -> Result<()> {
    let Some(stage) = stage.as_object() else {
        return Err(refused("Pipeline stages must be objects"));
    };
    let mut entries = stage.iter();
    let (Some((name, content)), None) = (entries.next(), entries.next()) else {
        let names: Vec<&str> = stage.keys().map(String::as_str).collect();
        return Err(refused(format!("Pipeline stages should only have one key but found {}.", names.join(", "))));
    };
    if !name.starts_with('$') {
        return Err(refused(format!("Invalid aggregate stage '{name}'.")));
    }
    if name == "$group" {
        if content.get("objectId").is_some() {
            return Err(refused("Cannot use 'objectId' in aggregation stage $group."));
        }
        if content.get("_id").is_none() {
            return Err(refused("Invalid parameter for query: group. Missing key _id"));
        }
    }
    Ok(())
}

/// Normalises a missing or null `_id` of `$group`, which means one group for all rows.
fn group_all(stage: &mut Json) {
    if let Some(key) = stage.get_mut("$group").and_then(|group| group.get_mut("_id")) {
        let is_nothing = match key {
            Json::String(text) => text.is_empty(),
            Json::Array(list) => list.is_empty(),
            Json::Object(map) => map.is_empty(),
            _ => false,
        };
        if is_nothing {
            *key = Json::Null;
        }
    }
}

/// Whether a stage writes to the database.
fn writes(stage: &Json) -> bool {
    stage.as_object().is_some_and(|stage| stage.keys().any(|name| WRITING_STAGES.contains(&name.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(json: Json) -> Map<String, Json> {
        let Json::Object(map) = json else { panic!("not an object: {json}") };
        map
    }

    #[test]
    fn stages_come_in_three_forms() {
        let expected = vec![json!({"$match": {"a": 1}}), json!({"$limit": 2})];
        for given in [
            json!({"pipeline": [{"$match": {"a": 1}}, {"$limit": 2}]}),
            json!({"pipeline": {"$match": {"a": 1}, "$limit": 2}}),
            json!({"$match": {"a": 1}, "$limit": 2}),
        ] {
            assert_eq!(stages(map(given)).unwrap(), expected);
        }
    }

    #[test]
    fn nothing_to_group_by() {
        for nothing in [json!(null), json!(""), json!([]), json!({})] {
            let given = map(json!({"$group": {"_id": nothing, "n": {"$sum": 1}}}));
            assert_eq!(stages(given).unwrap(), [json!({"$group": {"_id": null, "n": {"$sum": 1}}})]);
        }
    }

    #[test]
    fn what_is_no_stage_is_refused() {
        for (given, text) in [
            (json!({"pipeline": [{"group": {}}]}), "Invalid aggregate stage 'group'."),
            (json!({"pipeline": [{"$a": {}, "$b": 1}]}), "Pipeline stages should only have one key but found $a, $b."),
            (json!({"pipeline": [{}]}), "Pipeline stages should only have one key but found ."),
            (json!({"$group": {"x": 1}}), "Invalid parameter for query: group. Missing key _id"),
            (json!({"$group": {"_id": 1, "objectId": 1}}), "Cannot use 'objectId' in aggregation stage $group."),
            (json!({"pipeline": 3}), "pipeline must be an array or an object of stages"),
            (json!({"nonsense": 3}), "Invalid aggregate stage 'nonsense'."),
        ] {
            assert_eq!(stages(map(given)).unwrap_err().message, text);
        }
    }
}
