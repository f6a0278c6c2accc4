//! What each device of a batch is sent: the payload in its language, with its badge.

use std::collections::HashMap;

use serde_json::{Map, Value as Json};

use super::badge::Badge;
use super::request::Request;
use crate::adapters::push::Device;

/// The texts of a payload that can have a translation: `alert-de` beside `alert`.
const TEXTS: [&str; 2] = ["alert", "title"];

/// Devices that are sent the same.
pub(super) struct Group {
    /// The body for the sender.
    pub body: Map<String, Json>,
    /// The devices.
    pub devices: Vec<Device>,
}

/// Splits a batch by what the devices are sent: by language, then by badge.
pub(super) fn split(request: &Request, devices: Vec<Device>) -> Vec<Group> {
    let none = Map::new();
    let data = request.data().unwrap_or(&none);
    let languages = languages(data);
    let by_badge = matches!(request.badge(), Badge::Raise(_));
    let mut groups: Vec<Group> = Vec::new();
    let mut known = HashMap::new();
    for device in devices {
        let locale = device.locale().unwrap_or_default();
        let language = languages.iter().copied().find(|language| locale.starts_with(language));
        let badge = by_badge.then(|| device.badge().clone());
        let at = *known.entry((language, badge.as_ref().map(Json::to_string))).or_insert_with(|| {
            let body = body(request, language, !languages.is_empty(), badge);
            groups.push(Group { body, devices: Vec::new() });
            groups.len() - 1
        });
        if let Some(group) = groups.get_mut(at) {
            group.devices.push(device);
        }
    }
    groups
}

/// The languages of a payload, in the order of its keys.
fn languages(data: &Map<String, Json>) -> Vec<&str> {
    let mut languages: Vec<&str> = Vec::new();
    for (_, language) in data.keys().filter_map(|key| translation(key)) {
        if !languages.contains(&language) {
            languages.push(language);
        }
    }
    languages
}

/// The text and the language that a key is for.
fn translation(key: &str) -> Option<(&'static str, &str)> {
    TEXTS.into_iter().find_map(|text| Some((text, key.strip_prefix(text)?.strip_prefix('-')?)))
}

fn body(request: &Request, language: Option<&str>, translated: bool, badge: Option<Json>) -> Map<String, Json> {
    let mut body = request.body.clone();
    if !translated && badge.is_none() {
        return body;
    }
    let Some(Json::Object(data)) = body.get_mut("data") else { return body };
    if translated {
        for text in TEXTS {
            let key = language.map(|language| format!("{text}-{language}"));
            if let Some(words) = key.and_then(|key| data.get(&key).cloned()) {
                data.insert(text.to_owned(), words);
            }
        }
        data.retain(|key, _| translation(key).is_none());
    }
    if let Some(badge) = badge {
        data.insert("badge".to_owned(), badge);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::super::request::When;
    use super::*;
    use serde_json::json;
    use serde_json::value::to_raw_value;

    fn groups(data: Json, rows: &[Json]) -> Vec<(Json, usize)> {
        let body = Map::from_iter([("data".to_owned(), data)]);
        let request = Request { body, condition: Map::new(), when: When::Now, base_url: String::new() };
        let devices = rows.iter().map(|row| Device::new(to_raw_value(row).unwrap()).unwrap()).collect();
        let groups = split(&request, devices);
        groups.into_iter().map(|group| (group.body["data"].clone(), group.devices.len())).collect()
    }

    #[test]
    fn one_group_without_languages_and_badges() {
        let rows = [json!({ "localeIdentifier": "de-AT", "badge": 1 }), json!({})];
        assert_eq!(groups(json!({ "alert": "x", "badge": 3 }), &rows), [(json!({ "alert": "x", "badge": 3 }), 2)]);
    }

    #[test]
    fn the_first_language_that_begins_a_locale_wins() {
        let data = json!({ "alert": "Hi", "title-de": "Titel", "alert-de-AT": "Servus", "alert-de": "Hallo", "x": 1 });
        let rows = [
            json!({ "localeIdentifier": "de-AT" }),
            json!({ "localeIdentifier": "fr" }),
            json!({ "localeIdentifier": "de" }),
            json!({}),
        ];
        assert_eq!(
            groups(data, &rows),
            [(json!({ "alert": "Hallo", "x": 1, "title": "Titel" }), 2), (json!({ "alert": "Hi", "x": 1 }), 2)]
        );
    }

    #[test]
    fn each_badge_is_a_group() {
        let rows = [json!({ "badge": 1 }), json!({ "badge": 4 }), json!({ "badge": 1 })];
        assert_eq!(
            groups(json!({ "alert": "x", "badge": "Increment" }), &rows),
            [(json!({ "alert": "x", "badge": 1 }), 2), (json!({ "alert": "x", "badge": 4 }), 1)]
        );
    }
}
