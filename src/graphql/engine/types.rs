//! The types of a schema as plain data, read from SDL or built from classes, and converted for async-graphql.

use async_graphql::dynamic::{
    Enum, Field, FieldFuture, FieldValue, InputObject, InputValue, Interface, InterfaceField, Object, Scalar, Schema,
    SchemaError, Subscription, SubscriptionField, SubscriptionFieldFuture, Type, TypeRef, Union,
};
use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, ConstDirective, FieldDefinition, InputValueDefinition, Type as ParsedType, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Positioned, Value as ConstValue};
use indexmap::IndexMap;

use super::scalars::{self, ScalarReader};

/// The type whose fields report changes. A schema need not have it.
pub const SUBSCRIPTION: &str = "Subscription";

/// All types by name, in the order they were added.
pub type Types = IndexMap<String, TypeDef>;

/// One type.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeDef {
    /// Scalar.
    Scalar,
    /// Enumeration: its values.
    Enum(Vec<String>),
    /// Input object: its fields.
    Input(IndexMap<String, InputDef>),
    /// Object.
    Object(ObjectDef),
    /// Interface.
    Interface(IndexMap<String, FieldDef>),
    /// Union: its members.
    Union(Vec<String>),
}

/// An object type.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectDef {
    /// Interfaces it implements.
    pub implements: Vec<String>,
    /// Its fields.
    pub fields: IndexMap<String, FieldDef>,
}

/// A field of an object or interface.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldDef {
    /// Type of its value.
    pub ty: TypeRef,
    /// Its arguments.
    pub arguments: IndexMap<String, InputDef>,
    /// Whether it is an older form, which documents may use and introspection does not show.
    pub older: bool,
}

/// An argument, or a field of an input object.
#[derive(Debug, Clone, PartialEq)]
pub struct InputDef {
    /// Its type.
    pub ty: TypeRef,
    /// Its default value.
    pub default: Option<ConstValue>,
    /// Whether it is an older form, which documents may use and introspection does not show.
    pub older: bool,
}

impl InputDef {
    /// An input without default, from its type in GraphQL syntax.
    #[must_use]
    pub fn new(ty: &str) -> Self {
        Self { ty: type_ref(ty), default: None, older: false }
    }
}

impl FieldDef {
    /// A field without arguments, from its type in GraphQL syntax.
    #[must_use]
    pub fn new(ty: &str) -> Self {
        Self { ty: type_ref(ty), arguments: IndexMap::new(), older: false }
    }

    /// Adds an argument to the field.
    #[must_use]
    pub fn argument(mut self, name: &str, ty: &str) -> Self {
        self.arguments.insert(name.to_owned(), InputDef::new(ty));
        self
    }
}

/// An input object, from names and types.
#[must_use]
pub fn input(fields: &[(&str, &str)]) -> TypeDef {
    TypeDef::Input(fields.iter().map(|(name, ty)| ((*name).to_owned(), InputDef::new(ty))).collect())
}

/// An object without interfaces, from names and types.
#[must_use]
pub fn object_of(fields: &[(&str, &str)]) -> TypeDef {
    let fields = fields.iter().map(|(name, ty)| ((*name).to_owned(), FieldDef::new(ty))).collect();
    TypeDef::Object(ObjectDef { implements: Vec::new(), fields })
}

/// Whether the text is a valid GraphQL name.
#[must_use]
pub fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && !text.starts_with("__")
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Parses a type in GraphQL syntax (`[User!]!`).
#[must_use]
pub fn type_ref(text: &str) -> TypeRef {
    if let Some(inner) = text.strip_suffix('!') {
        TypeRef::NonNull(Box::new(type_ref(inner)))
    } else if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        TypeRef::List(Box::new(type_ref(inner)))
    } else {
        TypeRef::Named(text.to_owned().into())
    }
}

/// Reads the type definitions of a document in the schema language; ignores everything else.
///
/// # Errors
/// The parser's message for a malformed document.
pub fn read_sdl(text: &str) -> Result<Types, String> {
    let document = parse_schema(text).map_err(|error| error.to_string())?;
    let mut types = Types::new();
    for definition in document.definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let definition = definition.node;
        let kind = match definition.kind {
            TypeKind::Scalar => TypeDef::Scalar,
            TypeKind::Enum(kind) => {
                TypeDef::Enum(kind.values.into_iter().map(|value| value.node.value.node.to_string()).collect())
            }
            TypeKind::InputObject(kind) => {
                TypeDef::Input(kind.fields.into_iter().map(|field| read_input(field.node)).collect())
            }
            TypeKind::Object(kind) => TypeDef::Object(ObjectDef {
                implements: kind.implements.iter().map(|name| name.node.to_string()).collect(),
                fields: kind.fields.into_iter().map(|field| read_field(field.node)).collect(),
            }),
            TypeKind::Interface(kind) => {
                TypeDef::Interface(kind.fields.into_iter().map(|field| read_field(field.node)).collect())
            }
            TypeKind::Union(kind) => TypeDef::Union(kind.members.iter().map(|name| name.node.to_string()).collect()),
        };
        types.insert(definition.name.node.to_string(), kind);
    }
    Ok(types)
}

/// A field of a type in a document: its name and definition.
#[must_use]
pub fn read_field(field: FieldDefinition) -> (String, FieldDef) {
    let arguments = field.arguments.into_iter().map(|argument| read_input(argument.node)).collect();
    let older = is_older(&field.directives);
    (field.name.node.to_string(), FieldDef { ty: read_type(&field.ty.node), arguments, older })
}

fn read_input(input: InputValueDefinition) -> (String, InputDef) {
    let default = input.default_value.map(|value| value.node);
    let older = is_older(&input.directives);
    (input.name.node.to_string(), InputDef { ty: read_type(&input.ty.node), default, older })
}

/// Whether a definition is marked as an older form, by `@older`.
fn is_older(directives: &[Positioned<ConstDirective>]) -> bool {
    directives.iter().any(|directive| directive.node.name.node == "older")
}

/// Converts a type of a document to a type reference.
#[must_use]
pub fn read_type(ty: &ParsedType) -> TypeRef {
    let base = match &ty.base {
        BaseType::Named(name) => TypeRef::Named(name.to_string().into()),
        BaseType::List(inner) => TypeRef::List(Box::new(read_type(inner))),
    };
    if ty.nullable { base } else { TypeRef::NonNull(Box::new(base)) }
}

/// Builds the schema of async-graphql, which validates documents and prints the schema. Values come from
/// [`super::execute`], so its resolvers return nothing.
///
/// # Errors
/// If the types do not fit together.
pub fn assemble(
    types: &Types,
    scalars: ScalarReader,
    extension: impl async_graphql::extensions::ExtensionFactory,
) -> Result<Schema, SchemaError> {
    let subscription = types.contains_key(SUBSCRIPTION).then_some(SUBSCRIPTION);
    let mut builder = Schema::build("Query", Some("Mutation"), subscription)
        .disable_suggestions()
        .limit_recursive_depth(super::document::MAX_NESTING * 2)
        .extension(extension);
    for (name, definition) in types {
        builder = builder.register(dynamic(name, definition, scalars));
    }
    builder.finish()
}

fn dynamic(name: &str, definition: &TypeDef, others: ScalarReader) -> Type {
    match definition {
        TypeDef::Scalar => {
            let owned = name.to_owned();
            Scalar::new(name).validator(move |value| scalars::is_valid(others, &owned, value)).into()
        }
        TypeDef::Enum(values) => values.iter().fold(Enum::new(name), |ty, value| ty.item(value.as_str())).into(),
        TypeDef::Input(fields) => {
            fields.iter().fold(InputObject::new(name), |ty, (name, input)| ty.field(dynamic_input(name, input))).into()
        }
        TypeDef::Object(object) if name == SUBSCRIPTION => object
            .fields
            .iter()
            .fold(Subscription::new(name), |ty, (name, field)| {
                let nothing = SubscriptionField::new(name, field.ty.clone(), |_| {
                    SubscriptionFieldFuture::new(async {
                        Ok(futures_util::stream::empty::<async_graphql::Result<FieldValue<'_>>>())
                    })
                });
                ty.field(
                    field
                        .arguments
                        .iter()
                        .fold(nothing, |made, (name, input)| made.argument(dynamic_input(name, input))),
                )
            })
            .into(),
        TypeDef::Object(object) => {
            let ty = object.implements.iter().fold(Object::new(name), Object::implement);
            object
                .fields
                .iter()
                .fold(ty, |ty, (name, field)| {
                    let made = Field::new(name, field.ty.clone(), |_| FieldFuture::Value(None));
                    ty.field(
                        field
                            .arguments
                            .iter()
                            .fold(made, |made, (name, input)| made.argument(dynamic_input(name, input))),
                    )
                })
                .into()
        }
        TypeDef::Interface(fields) => fields
            .iter()
            .fold(Interface::new(name), |ty, (name, field)| ty.field(InterfaceField::new(name, field.ty.clone())))
            .into(),
        TypeDef::Union(members) => members.iter().fold(Union::new(name), Union::possible_type).into(),
    }
}

fn dynamic_input(name: &str, input: &InputDef) -> InputValue {
    let value = InputValue::new(name, input.ty.clone());
    match &input.default {
        Some(default) => value.default_value(default.clone()),
        None => value,
    }
}
