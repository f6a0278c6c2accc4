//! Names of a class's components, operations and tag in the document.
//!
//! Generators turn names into identifiers of many languages and may drop case and underscores. So two names count as
//! equal if they differ only in these. Names are assigned to the classes in the order of their names. If a name is
//! taken, another is chosen, so that a class keeps its names when a class is added whose name begins with the same
//! letters.

use std::collections::HashSet;

use serde_json::Value as Json;

/// Suffixes of a class's components.
const COMPONENTS: [&str; 9] =
    ["", "Create", "Update", "Pointer", "Reference", "Included", "List", "Relation", "RelationUpdate"];
/// Prefixes of a class's operations.
const OPERATIONS: [&str; 5] = ["create", "get", "find", "update", "delete"];

/// Names that are in use.
#[derive(Debug, Default)]
pub struct Names {
    components: HashSet<String>,
    operations: HashSet<String>,
    tags: HashSet<String>,
}

impl Names {
    /// Collects the names in a document.
    #[must_use]
    pub fn of(document: &Json) -> Self {
        let keys = |pointer: &str| document.pointer(pointer).and_then(Json::as_object).into_iter().flatten();
        let text = |json: &Json, key: &str| json.get(key).and_then(Json::as_str).map(plain);
        let operations = keys("/paths").flat_map(|(_, item)| item.as_object().into_iter().flatten());
        let tags = document.get("tags").and_then(Json::as_array).into_iter().flatten();
        Self {
            components: keys("/components/schemas").map(|(name, _)| plain(name)).collect(),
            operations: operations.filter_map(|(_, operation)| text(operation, "operationId")).collect(),
            tags: tags.filter_map(|tag| text(tag, "name")).collect(),
        }
    }

    /// Reserves a name, so that no class gets it.
    pub fn take_component(&mut self, name: &str) {
        self.components.insert(plain(name));
    }

    /// Finds an unused name for a class, and reserves it with its components and operations.
    pub fn give(&mut self, class: &str) -> String {
        let wish = upper_first(class.trim_start_matches('_'));
        let mut name = wish.clone();
        for number in 1_u32.. {
            if self.is_free(&name) {
                break;
            }
            name = if number == 1 { format!("{wish}Class") } else { format!("{wish}Class{number}") };
        }
        self.take(&name);
        name
    }

    /// Reserves a name with its components and operations.
    pub fn take(&mut self, name: &str) {
        self.components.extend(COMPONENTS.iter().map(|part| plain(&format!("{name}{part}"))));
        self.operations.extend(OPERATIONS.iter().map(|verb| plain(&format!("{verb}{name}"))));
        self.tags.insert(plain(name));
    }

    fn is_free(&self, name: &str) -> bool {
        COMPONENTS.iter().all(|part| !self.components.contains(&plain(&format!("{name}{part}"))))
            && OPERATIONS.iter().all(|verb| !self.operations.contains(&plain(&format!("{verb}{name}"))))
            && !self.tags.contains(&plain(name))
    }
}

/// A name in lower case without underscores, for comparison.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}

fn upper_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_taken_name_gives_way() {
        let mut names = Names::of(&json!({
            "paths": { "/x": { "get": { "operationId": "findObjects" } } },
            "components": { "schemas": { "Push": {} } },
            "tags": [{ "name": "Files" }],
        }));
        for (class, name) in [
            ("GameScore", "GameScore"),
            ("GameScoreCreate", "GameScoreCreateClass"),
            ("Files", "FilesClass"),
            ("Objects", "ObjectsClass"),
            ("Push", "PushClass"),
            ("PushClass", "PushClassClass"),
            ("_Product", "Product"),
            ("Product", "ProductClass"),
            ("game_Score", "Game_ScoreClass"),
            ("gamescore", "GamescoreClass2"),
        ] {
            assert_eq!(names.give(class), name);
        }
    }
}
