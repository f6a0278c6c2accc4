//! Names for what the document says of a class: components, operations, tag.
//!
//! Generators turn names into identifiers of many languages, where case and underscores may go; so two names differ only
//! if they differ without these. Names are given class by class in the order of the classes' own names, and a name that
//! is taken gives way: a class keeps its names when a class is added whose name begins with its own.

use std::collections::HashSet;

use serde_json::Value as Json;

/// What is put behind a class's name to name what belongs to it.
const COMPONENTS: [&str; 9] =
    ["", "Create", "Update", "Pointer", "Reference", "Included", "List", "Relation", "RelationUpdate"];
/// What is put before it to name its operations.
const OPERATIONS: [&str; 5] = ["create", "get", "find", "update", "delete"];

/// Names that are given away.
#[derive(Debug, Default)]
pub struct Names {
    components: HashSet<String>,
    operations: HashSet<String>,
    tags: HashSet<String>,
}

impl Names {
    /// Those of a document.
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

    /// Takes a name out of reach for classes.
    pub fn take_component(&mut self, name: &str) {
        self.components.insert(plain(name));
    }

    /// Finds the name of a class that has none in the document yet, and gives it away with all that belongs to it.
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

    /// Gives a name away with all that belongs to it.
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

/// A name without what languages write differently.
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
