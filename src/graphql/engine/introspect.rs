//! Answers introspection. async-graphql would leave out types that no query can reach, but clients expect them.

use std::sync::LazyLock;

use async_graphql::dynamic::TypeRef;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::describe::{self, Describer, SchemaElement};
use super::leaf::Leaf;
use super::types::{FieldDef, InputDef, SUBSCRIPTION, TypeDef, Types, read_sdl};

/// GraphQL's own scalars.
const SCALARS: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];

/// The types of introspection.
pub static TYPES: LazyLock<Types> =
    LazyLock::new(|| read_sdl(include_str!("introspection.graphql")).unwrap_or_default());

/// Name, locations, and arguments (name, type, default) of a directive.
type Directive = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str, Option<&'static str>)]);

const DIRECTIVES: [Directive; 4] = [
    ("include", &["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"], &[("if", "Boolean!", None)]),
    ("skip", &["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"], &[("if", "Boolean!", None)]),
    (
        "deprecated",
        &["FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INPUT_FIELD_DEFINITION", "ENUM_VALUE"],
        &[("reason", "String", Some("\"No longer supported\""))],
    ),
    ("specifiedBy", &["SCALAR"], &[("url", "String!", None)]),
];

/// Maximum number of nested lists (fields of types of fields …) in an introspection.
const MAX_LISTS: usize = 2;

/// Whether a selection has more nested lists than any tool needs; each multiplies the response by the size of the
/// schema.
#[must_use]
pub fn is_too_deep(leaf: &Leaf) -> bool {
    fn lists(leaf: &Leaf) -> usize {
        let Leaf::Object(_, fields) = leaf else { return 0 };
        let field = |(_, name, inner): &(String, String, Leaf)| {
            let list = matches!(name.as_str(), "fields" | "inputFields" | "interfaces" | "possibleTypes");
            lists(inner) + usize::from(list)
        };
        fields.iter().map(field).max().unwrap_or(0)
    }
    lists(leaf) > MAX_LISTS
}

/// Answers introspection from the types.
#[derive(Clone, Copy)]
pub struct Introspector<'a> {
    types: &'a Types,
    describe: Describer<'a>,
}

impl<'a> Introspector<'a> {
    /// Creates it for these types. `describe` returns the dialect's descriptions.
    #[must_use]
    pub const fn new(types: &'a Types, describe: Describer<'a>) -> Self {
        Self { types, describe }
    }

    fn describe(self, element: SchemaElement<'_>) -> Json {
        match describe::built_in(element) {
            Some(text) => json!(text),
            None => (self.describe)(element).map_or(Json::Null, |text| Json::from(text.into_owned())),
        }
    }

    /// `__schema`.
    #[must_use]
    pub fn schema(self, leaf: &Leaf) -> Json {
        show(leaf, &|name, leaf| match name {
            "types" => self.every_name().map(|name| self.named(name, leaf)).collect(),
            "queryType" => self.named("Query", leaf),
            "mutationType" => self.named("Mutation", leaf),
            "subscriptionType" if self.types.contains_key(SUBSCRIPTION) => self.named(SUBSCRIPTION, leaf),
            "directives" => DIRECTIVES.iter().map(|directive| self.directive(directive, leaf)).collect(),
            _ => Json::Null,
        })
    }

    /// `__type`.
    #[must_use]
    pub fn type_of_name(self, name: &str, leaf: &Leaf) -> Json {
        if self.every_name().any(|known| known == name) { self.named(name, leaf) } else { Json::Null }
    }

    fn every_name(self) -> impl Iterator<Item = &'a str> {
        let own = TYPES.keys().map(String::as_str);
        self.types.keys().map(String::as_str).chain(SCALARS).chain(own)
    }

    fn definition(self, name: &str) -> Option<&'a TypeDef> {
        self.types.get(name).or_else(|| TYPES.get(name))
    }

    fn reference(self, ty: &TypeRef, leaf: &Leaf) -> Json {
        let wrapper = |kind: &'static str, inner: &TypeRef| {
            show(leaf, &|name, leaf| match name {
                "kind" => json!(kind),
                "ofType" => self.reference(inner, leaf),
                _ => Json::Null,
            })
        };
        match ty {
            TypeRef::NonNull(inner) => wrapper("NON_NULL", inner),
            TypeRef::List(inner) => wrapper("LIST", inner),
            TypeRef::Named(name) => self.named(name, leaf),
        }
    }

    fn named(self, type_name: &str, leaf: &Leaf) -> Json {
        let definition = self.definition(type_name);
        show(leaf, &|name, leaf| match (name, definition) {
            ("kind", definition) => json!(kind(definition)),
            ("name", _) => json!(type_name),
            ("description", _) => self.describe(SchemaElement::Type(type_name)),
            ("fields", Some(TypeDef::Object(object))) => self.fields(type_name, &object.fields, leaf),
            ("fields", Some(TypeDef::Interface(fields))) => self.fields(type_name, fields, leaf),
            ("interfaces", Some(TypeDef::Object(object))) => {
                object.implements.iter().map(|name| self.named(name, leaf)).collect()
            }
            ("interfaces", Some(TypeDef::Interface(_))) => json!([]),
            ("possibleTypes", Some(TypeDef::Union(members))) => {
                members.iter().map(|name| self.named(name, leaf)).collect()
            }
            ("possibleTypes", Some(TypeDef::Interface(_))) => {
                let implements = |definition: &TypeDef| matches!(definition, TypeDef::Object(object) if object.implements.iter().any(|name| name == type_name));
                self.types
                    .iter()
                    .filter(|(_, definition)| implements(definition))
                    .map(|(name, _)| self.named(name, leaf))
                    .collect()
            }
            ("enumValues", Some(TypeDef::Enum(values))) => {
                values.iter().map(|value| self.value(type_name, value, leaf)).collect()
            }
            ("inputFields", Some(TypeDef::Input(fields))) => {
                self.inputs(fields, &|name| SchemaElement::Field(type_name, name), leaf)
            }
            ("isOneOf", Some(TypeDef::Input(_))) => json!(false),
            _ => Json::Null,
        })
    }

    fn fields(self, type_name: &str, fields: &IndexMap<String, FieldDef>, leaf: &Leaf) -> Json {
        let field = |(field_name, field): (&String, &FieldDef)| {
            show(leaf, &|name, leaf| match name {
                "name" => json!(field_name),
                "description" => self.describe(SchemaElement::Field(type_name, field_name)),
                "type" => self.reference(&field.ty, leaf),
                "args" => {
                    self.inputs(&field.arguments, &|name| SchemaElement::Argument(type_name, field_name, name), leaf)
                }
                "isDeprecated" => json!(false),
                _ => Json::Null,
            })
        };
        fields.iter().filter(|(_, field)| !field.older).map(field).collect()
    }

    fn inputs<'p>(
        self,
        inputs: &'p IndexMap<String, InputDef>,
        place: &dyn Fn(&'p str) -> SchemaElement<'p>,
        leaf: &Leaf,
    ) -> Json {
        let input = |(name, input): (&'p String, &InputDef)| {
            let default = input.default.as_ref().map(ToString::to_string);
            self.input(name, &input.ty, default.as_deref(), &|| self.describe(place(name)), leaf)
        };
        inputs.iter().filter(|(_, input)| !input.older).map(input).collect()
    }

    fn input(
        self,
        input_name: &str,
        ty: &TypeRef,
        default: Option<&str>,
        description: &dyn Fn() -> Json,
        leaf: &Leaf,
    ) -> Json {
        show(leaf, &|name, leaf| match name {
            "name" => json!(input_name),
            "description" => description(),
            "type" => self.reference(ty, leaf),
            "defaultValue" => json!(default),
            "isDeprecated" => json!(false),
            _ => Json::Null,
        })
    }

    fn value(self, type_name: &str, value: &str, leaf: &Leaf) -> Json {
        show(leaf, &|name, _| match name {
            "name" => json!(value),
            "description" => self.describe(SchemaElement::Value(type_name, value)),
            "isDeprecated" => json!(false),
            _ => Json::Null,
        })
    }

    fn directive(self, (directive, locations, arguments): &Directive, leaf: &Leaf) -> Json {
        show(leaf, &|name, leaf| match name {
            "name" => json!(directive),
            "description" => json!(describe::of_directive(directive, None)),
            "locations" => json!(locations),
            "isRepeatable" => json!(false),
            "args" => arguments
                .iter()
                .map(|(name, ty, default)| {
                    let description = || json!(describe::of_directive(directive, Some(name)));
                    self.input(name, &super::types::type_ref(ty), *default, &description, leaf)
                })
                .collect(),
            _ => Json::Null,
        })
    }
}

fn kind(definition: Option<&TypeDef>) -> &'static str {
    match definition {
        Some(TypeDef::Object(_)) => "OBJECT",
        Some(TypeDef::Interface(_)) => "INTERFACE",
        Some(TypeDef::Union(_)) => "UNION",
        Some(TypeDef::Enum(_)) => "ENUM",
        Some(TypeDef::Input(_)) => "INPUT_OBJECT",
        Some(TypeDef::Scalar) | None => "SCALAR",
    }
}

/// The selected fields of an object; `value` computes each from its name and selection.
fn show(leaf: &Leaf, value: &dyn Fn(&str, &Leaf) -> Json) -> Json {
    let Leaf::Object(type_name, fields) = leaf else { return Json::Null };
    let field = |(key, name, inner): &(String, String, Leaf)| {
        let shown = if name == "__typename" { json!(type_name) } else { value(name, inner) };
        (key.clone(), shown)
    };
    Json::Object(fields.iter().map(field).collect::<Map<_, _>>())
}
