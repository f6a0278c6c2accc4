//! The part of the schema that an app writes itself (option `graphQLSchema`): types of its own, and fields of the query and mutation
//! types that functions of the app (`@resolve`) or fixed values (`@mock`) answer.

use async_graphql::Positioned;
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{ConstDirective, FieldDefinition, TypeDefinition, TypeKind, TypeSystemDefinition};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::ids;
use crate::graphql::engine::plain;
use crate::graphql::engine::types::{self, FieldDef, Types};

/// The root types, which an app may extend.
const ROOTS: [&str; 2] = ["Query", "Mutation"];

/// What an app adds to the schema.
#[derive(Debug, Default, PartialEq)]
pub struct CustomSchema {
    /// Types of its own.
    pub types: Types,
    /// Fields of the query type.
    pub queries: IndexMap<String, CustomField>,
    /// Fields of the mutation type.
    pub mutations: IndexMap<String, CustomField>,
}

/// A field of a root type.
#[derive(Debug, Clone, PartialEq)]
pub struct CustomField {
    /// Its type and arguments.
    pub definition: FieldDef,
    /// Where its value comes from.
    pub source: Source,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A function of the app, by its name. The field's arguments are its parameters.
    Function(String),
    /// It is always this one.
    Fixed(Json),
}

impl CustomSchema {
    /// Reads the option: the path of a file, or the schema itself.
    ///
    /// # Errors
    /// Why it cannot be read, for the person who starts the server.
    pub fn open(option: &str) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("option graphQLSchema: {error}");
        let is_text = option.contains(['{', '\n']);
        let text = if is_text {
            option.to_owned()
        } else {
            std::fs::read_to_string(option).map_err(|error| wrong(&format!("{option}: {error}")))?
        };
        Self::read(&text).map_err(|error| wrong(&error))
    }

    /// Reads a document in the schema language.
    ///
    /// # Errors
    /// What is wrong with it.
    fn read(text: &str) -> Result<Self, String> {
        let document = parse_schema(text).map_err(|error| error.to_string())?;
        let mut types = types::read_sdl(text)?;
        types.retain(|name, _| !ROOTS.contains(&name.as_str()));
        let mut schema = Self { types, ..Self::default() };
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            schema.add(definition.node)?;
        }
        Ok(schema)
    }

    fn add(&mut self, definition: TypeDefinition) -> Result<(), String> {
        let name = definition.name.node.to_string();
        let fields = match definition.kind {
            TypeKind::Object(object) => object.fields,
            TypeKind::Interface(interface) => interface.fields,
            _ => Vec::new(),
        };
        let root = match name.as_str() {
            "Query" => &mut self.queries,
            "Mutation" => &mut self.mutations,
            "Subscription" => return Err("subscriptions cannot be added".to_owned()),
            _ if definition.extend => return Err(format!("only Query and Mutation can be extended, not {name}")),
            _ => {
                let resolved = fields.iter().find(|field| source_of(&field.node.directives).is_some());
                return match resolved {
                    Some(field) => Err(format!(
                        "{name}.{}: only fields of Query and Mutation can have @resolve or @mock",
                        field.node.name.node
                    )),
                    None => Ok(()),
                };
            }
        };
        for field in fields {
            let (name, field) = read_field(field.node)?;
            root.insert(name, field);
        }
        Ok(())
    }
}

fn read_field(field: FieldDefinition) -> Result<(String, CustomField), String> {
    let name = field.name.node.to_string();
    let source = match source_of(&field.directives) {
        None => Source::Fixed(Json::Null),
        Some(directive) => read_source(&name, directive)?,
    };
    let (name, definition) = types::read_field(field);
    Ok((name, CustomField { definition, source }))
}

fn source_of(directives: &[Positioned<ConstDirective>]) -> Option<&ConstDirective> {
    let directives = directives.iter().map(|directive| &directive.node);
    directives.rev().find(|directive| matches!(directive.name.node.as_str(), "resolve" | "mock"))
}

fn read_source(field: &str, directive: &ConstDirective) -> Result<Source, String> {
    let argument = |name: &str| {
        let mut arguments = directive.arguments.iter().filter(|(given, _)| given.node == name);
        arguments.next().and_then(|(_, value)| plain(&value.node))
    };
    if directive.name.node == "mock" {
        return argument("with").map(Source::Fixed).ok_or_else(|| format!("{field}: @mock needs the argument with"));
    }
    match argument("to") {
        None | Some(Json::Null) => Ok(Source::Function(field.to_owned())),
        Some(Json::String(function)) => Ok(Source::Function(function)),
        Some(_) => Err(format!("{field}: the argument to of @resolve is the name of a function")),
    }
}

/// The result of a function in the form that the schema's types have: objects of classes get their global id.
#[must_use]
pub fn shown(value: Json) -> Json {
    match value {
        Json::Array(list) => list.into_iter().map(shown).collect(),
        Json::Object(map) => {
            let text = |key: &str| map.get(key).and_then(Json::as_str);
            let id = match (text("className"), text("objectId")) {
                (Some(class), Some(id)) if text("__type").is_some() => Some(ids::global(class, id)),
                _ => None,
            };
            let mut shown: Map<String, Json> = map.into_iter().map(|(key, value)| (key, self::shown(value))).collect();
            shown.extend(id.map(|id| ("id".to_owned(), id.into())));
            Json::Object(shown)
        }
        plain => plain,
    }
}

/// A value of one of our own scalars, which functions answer in REST's form.
#[must_use]
pub fn scalar(name: &str, value: &Json) -> Json {
    let inner = match (name, value.get("__type").and_then(Json::as_str)) {
        ("Date", Some("Date")) => value.get("iso"),
        ("Bytes", Some("Bytes")) => value.get("base64"),
        _ => None,
    };
    inner.unwrap_or(value).clone()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SCHEMA: &str = r#"
        directive @resolve(to: String) on FIELD_DEFINITION
        type Report { total: Int! label: String }
        input ReportInput { label: String! }
        extend type Query {
            hello: String! @resolve(to: "greet")
            echo(a: Int): String @resolve
            mocked: Report @mock(with: { total: 3 })
            nothing: String
        }
        extend type Mutation { report(input: ReportInput!): Report @resolve(to: "report") }
    "#;

    #[test]
    fn fields_know_where_their_values_come_from() {
        let schema = CustomSchema::open(SCHEMA).unwrap();
        assert_eq!(schema.types.keys().collect::<Vec<_>>(), ["Report", "ReportInput"]);
        let source = |name: &str| schema.queries[name].source.clone();
        assert_eq!(source("hello"), Source::Function("greet".to_owned()));
        assert_eq!(source("echo"), Source::Function("echo".to_owned()));
        assert_eq!(source("mocked"), Source::Fixed(json!({"total": 3})));
        assert_eq!(source("nothing"), Source::Fixed(Json::Null));
        assert!(schema.mutations["report"].definition.arguments.contains_key("input"));
    }

    #[test]
    fn what_is_no_such_schema_is_refused() {
        for text in [
            "type {",
            "extend type Score { a: Int }",
            "type A { b: Int @resolve }",
            "extend type Query { a: Int @mock }",
            "extend type Query { a: Int @resolve(to: 5) }",
            "extend type Subscription { a: Int }",
            "/no/such/file.graphql",
        ] {
            assert!(CustomSchema::open(text).unwrap_err().starts_with("option graphQLSchema: "), "{text}");
        }
    }

    #[test]
    fn results_have_the_form_of_the_schema() {
        let score = json!({"__type": "Object", "className": "Score", "objectId": "abc", "n": [{"objectId": "x"}]});
        assert_eq!(shown(score)["id"], ids::global("Score", "abc"));
        assert_eq!(shown(json!({"className": "Score", "objectId": "abc"})).get("id"), None);
        assert_eq!(scalar("Date", &json!({"__type": "Date", "iso": "2024"})), json!("2024"));
        assert_eq!(scalar("Any", &json!({"__type": "Date", "iso": "2024"})), json!({"__type": "Date", "iso": "2024"}));
    }
}
