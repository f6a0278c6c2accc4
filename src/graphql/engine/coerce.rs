//! Coerces values of variables and arguments to their types, as JSON.

use async_graphql::dynamic::TypeRef;
use async_graphql::parser::types::{Field, OperationDefinition};
use async_graphql::{Name, Positioned, Value as ConstValue, Variables};
use serde_json::{Map, Value as Json};

use super::error::Refusal;
use super::scalars::{self, ScalarReader, shown};
use super::types::{InputDef, TypeDef, Types, read_type};

/// Marks a variable without a value where a value is optional.
const UNDEFINED: &[u8] = b"undefined";

/// Why a value is invalid.
#[derive(Debug)]
pub struct Misfit {
    message: String,
}

impl Misfit {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }
}

/// Coerces values to a schema's types.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    /// The types.
    pub types: &'a Types,
    /// Reads the scalars that GraphQL does not define.
    pub scalars: ScalarReader,
    /// Whether error messages may contain names of types and fields.
    pub may_introspect: bool,
}

/// Whether a value is a variable without value.
#[must_use]
pub fn is_undefined(value: &ConstValue) -> bool {
    matches!(value, ConstValue::Binary(bytes) if **bytes == *UNDEFINED)
}

/// The values of an operation's variables: the given ones, checked, and the defaults of the others.
///
/// # Errors
/// 400 `BAD_USER_INPUT` if one is missing or invalid.
pub fn variables(
    reader: Reader<'_>,
    operation: &OperationDefinition,
    mut given: Variables,
) -> Result<Variables, Refusal> {
    let mut variables = Variables::default();
    for definition in &operation.variable_definitions {
        let (place, definition) = (definition.pos, &definition.node);
        let name = &definition.name.node;
        let ty = read_type(&definition.var_type.node);
        match given.remove(name) {
            Some(value) => {
                reader.read(&ty, &value).map_err(|misfit| {
                    let shown = if has_upload(&value) { "an upload".to_owned() } else { shown(&value) };
                    Refusal::bad_input(
                        &format!("Variable \"${name}\" got invalid value {shown}; {}", misfit.message),
                        &[place],
                    )
                })?;
                variables.insert(name.clone(), value);
            }
            None => match &definition.default_value {
                Some(default) => drop(variables.insert(name.clone(), default.node.clone())),
                None if matches!(ty, TypeRef::NonNull(_)) => {
                    let message = format!("Variable \"${name}\" of required type \"{ty}\" was not provided.");
                    return Err(Refusal::bad_input(&message, &[place]));
                }
                None => {}
            },
        }
    }
    Ok(variables)
}

fn has_upload(value: &ConstValue) -> bool {
    match value {
        ConstValue::Binary(_) => true,
        ConstValue::List(list) => list.iter().any(has_upload),
        ConstValue::Object(map) => map.values().any(has_upload),
        _ => false,
    }
}

/// The arguments of a field, with variables replaced by their values.
///
/// # Errors
/// 400 if one is invalid.
pub fn arguments(
    reader: Reader<'_>,
    definitions: &indexmap::IndexMap<String, InputDef>,
    field: &Positioned<Field>,
    variables: &Variables,
) -> Result<Map<String, Json>, Refusal> {
    let mut given: Vec<(&Name, ConstValue)> = Vec::with_capacity(field.node.arguments.len());
    for (name, value) in &field.node.arguments {
        let value = value.node.clone().into_const_with(|variable| {
            Ok::<_, std::convert::Infallible>(variables.get(&variable).cloned().unwrap_or_else(undefined))
        });
        let Ok(value) = value;
        given.push((&name.node, value));
    }
    let given = given.iter().map(|(name, value)| (*name, value));
    reader.fields(definitions, given).map_err(|misfit| Refusal::invalid(&misfit.message, &[field.pos]))
}

fn undefined() -> ConstValue {
    ConstValue::Binary(UNDEFINED.into())
}

impl Reader<'_> {
    /// The value as JSON.
    fn read(self, ty: &TypeRef, value: &ConstValue) -> Result<Json, Misfit> {
        match (ty, value) {
            (TypeRef::NonNull(inner), ConstValue::Null) => Err(Misfit::new(if self.may_introspect {
                format!("Expected non-nullable type \"{inner}!\" not to be null.")
            } else {
                "Expected a non-null value.".to_owned()
            })),
            (TypeRef::NonNull(inner), value) => self.read(inner, value),
            (_, ConstValue::Null) => Ok(Json::Null),
            (TypeRef::List(inner), ConstValue::List(list)) => {
                let read = |value| {
                    if is_undefined(value) { self.read(inner, &ConstValue::Null) } else { self.read(inner, value) }
                };
                list.iter().map(read).collect::<Result<Vec<_>, _>>().map(Json::Array)
            }
            (TypeRef::List(inner), value) => Ok(Json::Array(vec![self.read(inner, value)?])),
            (TypeRef::Named(name), value) => self.named(name, value),
        }
    }

    fn named(self, name: &str, value: &ConstValue) -> Result<Json, Misfit> {
        match (self.types.get(name), value) {
            (Some(TypeDef::Input(fields)), ConstValue::Object(given)) => {
                if let Some(unknown) = given.keys().find(|key| !fields.contains_key(key.as_str())) {
                    let unknown = super::error::shorten(unknown);
                    return Err(Misfit::new(if self.may_introspect {
                        format!("Field \"{unknown}\" is not defined by type \"{name}\".")
                    } else {
                        format!("Field \"{unknown}\" is not defined.")
                    }));
                }
                self.fields(fields, given.iter()).map(Json::Object)
            }
            (Some(TypeDef::Input(_)), _) => Err(Misfit::new(if self.may_introspect {
                format!("Expected type \"{name}\" to be an object.")
            } else {
                "Expected an object.".to_owned()
            })),
            (Some(TypeDef::Enum(values)), ConstValue::Enum(_) | ConstValue::String(_)) => {
                let word = match value {
                    ConstValue::Enum(word) => word.as_str(),
                    ConstValue::String(word) => word.as_str(),
                    _ => "",
                };
                if values.iter().any(|known| known == word) {
                    return Ok(Json::from(word));
                }
                let word = super::error::shorten(word);
                Err(Misfit::new(if self.may_introspect {
                    format!("Value \"{word}\" does not exist in \"{name}\" enum.")
                } else {
                    format!("Value \"{word}\" does not exist.")
                }))
            }
            (Some(TypeDef::Enum(_)), _) => Err(Misfit::new("Enum cannot represent non-string value.")),
            (_, value) => scalars::read(self.scalars, name, value).map_err(Misfit::new),
        }
    }

    fn fields<'g>(
        self,
        definitions: &indexmap::IndexMap<String, InputDef>,
        given: impl Iterator<Item = (&'g Name, &'g ConstValue)>,
    ) -> Result<Map<String, Json>, Misfit> {
        let mut read = Map::new();
        // Keep the given order, because fields are stored in it.
        for (name, value) in given {
            if let Some(definition) = definitions.get(name.as_str())
                && !is_undefined(value)
            {
                read.insert(name.to_string(), self.read(&definition.ty, value)?);
            }
        }
        for (name, definition) in definitions {
            if read.contains_key(name) {
                continue;
            }
            match (&definition.default, &definition.ty) {
                (Some(default), ty) => drop(read.insert(name.clone(), self.read(ty, default)?)),
                (None, TypeRef::NonNull(_)) => {
                    return Err(Misfit::new(if self.may_introspect {
                        format!("Field \"{name}\" of required type \"{}\" was not provided.", definition.ty)
                    } else {
                        "Field of required type was not provided.".to_owned()
                    }));
                }
                (None, _) => {}
            }
        }
        Ok(read)
    }
}
