//! Shared error responses. Most operations have the same ones; repeating them in each operation would make the document
//! several times as long.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

/// For each error status, turns the most common response into a component named `Error` and the status, and replaces
/// that response with a reference. Different descriptions stay in their operations.
pub fn share(document: &mut Json) {
    let mut shared: BTreeMap<String, Json> = BTreeMap::new();
    for (status, answers) in count(document) {
        let most = answers.into_iter().max_by_key(|(_, times)| *times);
        if let Some((answer, _)) = most.filter(|(_, times)| *times > 1) {
            shared.insert(status, answer);
        }
    }
    for answers in answers_mut(document) {
        for (status, answer) in answers {
            if shared.get(status) == Some(answer) {
                *answer = json!({ "$ref": format!("#/components/responses/Error{status}") });
            }
        }
    }
    let named: Map<String, Json> =
        shared.into_iter().map(|(status, answer)| (format!("Error{status}"), answer)).collect();
    if let Some(components) = document.get_mut("components").and_then(Json::as_object_mut) {
        components.insert("responses".to_owned(), named.into());
    }
}

/// Number of uses of each response, by error status.
fn count(document: &mut Json) -> BTreeMap<String, Vec<(Json, usize)>> {
    let mut counted: BTreeMap<String, Vec<(Json, usize)>> = BTreeMap::new();
    for answers in answers_mut(document) {
        for (status, answer) in answers.iter().filter(|(status, _)| !status.starts_with('2')) {
            let known = counted.entry(status.clone()).or_default();
            match known.iter_mut().find(|(other, _)| other == answer) {
                Some((_, times)) => *times += 1,
                None => known.push((answer.clone(), 1)),
            }
        }
    }
    counted
}

/// The responses of each operation, by status.
fn answers_mut(document: &mut Json) -> impl Iterator<Item = &mut Map<String, Json>> {
    let paths = document.get_mut("paths").and_then(Json::as_object_mut).into_iter().flat_map(Map::values_mut);
    paths
        .filter_map(Json::as_object_mut)
        .flat_map(Map::values_mut)
        .filter_map(|operation| operation.get_mut("responses")?.as_object_mut())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_is_said_once() {
        let answer = |text: &str| json!({ "description": text });
        let operation = |refusal: &str| json!({ "responses": { "200": answer("Done."), "400": answer(refusal) } });
        let mut document = json!({
            "paths": {
                "/a": { "get": operation("Refused."), "put": operation("Refused.") },
                "/b": { "get": operation("Refused, because."), "put": { "responses": { "404": answer("Gone.") } } },
            },
            "components": {},
        });
        share(&mut document);
        let reference = json!({ "$ref": "#/components/responses/Error400" });
        let shared = |refusal: Json| json!({ "responses": { "200": answer("Done."), "400": refusal } });
        assert_eq!(
            document,
            json!({
                "paths": {
                    "/a": { "get": shared(reference.clone()), "put": shared(reference) },
                    "/b": { "get": operation("Refused, because."), "put": { "responses": { "404": answer("Gone.") } } },
                },
                "components": { "responses": { "Error400": answer("Refused.") } },
            })
        );
    }
}
