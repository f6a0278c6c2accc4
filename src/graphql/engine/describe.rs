//! Descriptions for introspection. Those of a dialect are computed when they are requested, so that schemas need no
//! memory for them; those of GraphQL's own types are here.

use std::borrow::Cow;

/// The part of a schema that a description belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaElement<'a> {
    /// A type.
    Type(&'a str),
    /// A field of an object, interface or input object: type, name.
    Field(&'a str, &'a str),
    /// An argument: type, field, name.
    Argument(&'a str, &'a str, &'a str),
    /// A value of an enumeration: type, name.
    Value(&'a str, &'a str),
}

/// A description.
pub type Description = Cow<'static, str>;

/// Describes the parts of a dialect's schema.
pub type Describer<'a> = &'a (dyn Fn(SchemaElement<'_>) -> Option<Description> + Sync);

/// Describes GraphQL's own scalars and the types of introspection.
#[must_use]
pub fn built_in(element: SchemaElement<'_>) -> Option<&'static str> {
    Some(match element {
        SchemaElement::Type(name) => match name {
            "Boolean" => "True or false.",
            "Float" => "A double-precision floating-point number.",
            "ID" => "An identifier, a string; integers are accepted too.",
            "Int" => "A signed 32-bit integer.",
            "String" => "A Unicode string.",
            "__Schema" => "The schema of this server.",
            "__Type" => "A type of the schema, or a list or non-null form of one.",
            "__TypeKind" => "The kinds of types.",
            "__Field" => "A field of an object type or interface.",
            "__InputValue" => "An argument, or a field of an input object.",
            "__EnumValue" => "One value of an enumeration.",
            "__Directive" => "A directive that documents can use.",
            "__DirectiveLocation" => "The places where a directive can be used.",
            _ => return None,
        },
        SchemaElement::Field(ty, field) if ty.starts_with("__") => match field {
            "args" => "The arguments it takes.",
            "defaultValue" => "The value that is used if none is given, in GraphQL syntax.",
            "deprecationReason" => "Why it should no longer be used.",
            "description" => "The description.",
            "directives" => "The directives that documents can use.",
            "enumValues" => "The values of an enumeration.",
            "fields" => "The fields of an object type or interface.",
            "inputFields" => "The fields of an input object.",
            "interfaces" => "The interfaces that an object type implements.",
            "isDeprecated" => "Whether it should no longer be used.",
            "isOneOf" => "Whether exactly one field of an input object must be given.",
            "isRepeatable" => "Whether the directive can be used several times at the same place.",
            "kind" => "The kind of the type.",
            "locations" => "The places where the directive can be used.",
            "mutationType" => "The type whose fields change data.",
            "name" => "The name.",
            "ofType" => "The type inside a list or non-null type.",
            "possibleTypes" => "The object types of a union or an interface.",
            "queryType" => "The type whose fields read data.",
            "specifiedByURL" => "The URL of the specification of a scalar.",
            "subscriptionType" => "The type whose fields report changes.",
            "type" => "The type of the value.",
            "types" => "All types of the schema.",
            _ => return None,
        },
        SchemaElement::Argument(ty, _, "includeDeprecated") if ty.starts_with("__") => {
            "Whether to list deprecated parts too."
        }
        SchemaElement::Argument("Query", "__type", "name") => "The name of the type.",
        SchemaElement::Value("__TypeKind", value) => match value {
            "SCALAR" => "A value without parts.",
            "OBJECT" => "An object with fields.",
            "INTERFACE" => "Fields that several object types have in common.",
            "UNION" => "One of several object types.",
            "ENUM" => "One of a fixed set of names.",
            "INPUT_OBJECT" => "An object that arguments take.",
            "LIST" => "A list of values of another type.",
            "NON_NULL" => "Another type, without null.",
            _ => return None,
        },
        SchemaElement::Value("__DirectiveLocation", value) => match value {
            "QUERY" => "On a query.",
            "MUTATION" => "On a mutation.",
            "SUBSCRIPTION" => "On a subscription.",
            "FIELD" => "On a selected field.",
            "FRAGMENT_DEFINITION" => "On the definition of a fragment.",
            "FRAGMENT_SPREAD" => "On the use of a fragment.",
            "INLINE_FRAGMENT" => "On an inline fragment.",
            "VARIABLE_DEFINITION" => "On the definition of a variable.",
            "SCHEMA" => "On a schema.",
            "SCALAR" => "On a scalar type.",
            "OBJECT" => "On an object type.",
            "FIELD_DEFINITION" => "On the definition of a field.",
            "ARGUMENT_DEFINITION" => "On the definition of an argument.",
            "INTERFACE" => "On an interface.",
            "UNION" => "On a union.",
            "ENUM" => "On an enumeration.",
            "ENUM_VALUE" => "On a value of an enumeration.",
            "INPUT_OBJECT" => "On an input object.",
            "INPUT_FIELD_DEFINITION" => "On a field of an input object.",
            _ => return None,
        },
        SchemaElement::Field(..) | SchemaElement::Argument(..) | SchemaElement::Value(..) => return None,
    })
}

/// Describes a directive, or one of its arguments.
#[must_use]
pub fn of_directive(directive: &str, argument: Option<&str>) -> Option<&'static str> {
    Some(match (directive, argument) {
        ("include", None) => "Selects the field or fragment only if the condition is true.",
        ("include", Some(_)) => "The condition for selecting it.",
        ("skip", None) => "Leaves the field or fragment out if the condition is true.",
        ("skip", Some(_)) => "The condition for leaving it out.",
        ("deprecated", None) => "Marks a part of the schema that should no longer be used.",
        ("deprecated", Some(_)) => "Why it should no longer be used, and what to use instead.",
        ("specifiedBy", None) => "Names the rules for the values of a scalar.",
        ("specifiedBy", Some(_)) => "The address of the rules.",
        _ => return None,
    })
}

/// The parts of a schema that have no description.
#[cfg(test)]
pub(crate) fn undescribed(types: &super::types::Types, describe: Describer<'_>) -> Vec<String> {
    use super::types::TypeDef;
    let mut missing = Vec::new();
    let mut check = |element: SchemaElement<'_>| {
        if !describe(element).is_some_and(|text| text.ends_with('.') && text.len() > 8) {
            missing.push(format!("{element:?}"));
        }
    };
    for (name, definition) in types {
        check(SchemaElement::Type(name));
        match definition {
            TypeDef::Object(super::types::ObjectDef { fields, .. }) | TypeDef::Interface(fields) => {
                for (field, definition) in fields {
                    check(SchemaElement::Field(name, field));
                    definition
                        .arguments
                        .keys()
                        .for_each(|argument| check(SchemaElement::Argument(name, field, argument)));
                }
            }
            TypeDef::Input(fields) => fields.keys().for_each(|field| check(SchemaElement::Field(name, field))),
            TypeDef::Enum(values) => values.iter().for_each(|value| check(SchemaElement::Value(name, value))),
            TypeDef::Scalar | TypeDef::Union(_) => {}
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::super::introspect::TYPES;
    use super::*;

    #[test]
    fn introspection_describes_itself() {
        let missing = undescribed(&TYPES, &|element| built_in(element).map(Cow::Borrowed));
        assert!(missing.is_empty(), "{missing:#?}");
        for scalar in ["Boolean", "Float", "ID", "Int", "String"] {
            assert!(built_in(SchemaElement::Type(scalar)).is_some());
        }
    }
}
