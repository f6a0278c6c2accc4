//! The selections of an operation: merges fields with the same key, expands fragments, removes skipped fields.

use std::collections::HashMap;
use std::sync::LazyLock;

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet};
use async_graphql::{Pos, Positioned, Variables};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::coerce::{self, Reader};
use super::error::Refusal;
use super::introspect;
use super::leaf::Leaf;
use super::types::{InputDef, TypeDef, Types};

/// The context for reading selections.
#[derive(Debug, Clone, Copy)]
pub struct Selector<'a> {
    /// The document.
    pub document: &'a ExecutableDocument,
    /// The values of its variables.
    pub variables: &'a Variables,
    /// The types, and whether errors may name them.
    pub reader: Reader<'a>,
}

/// One selected field.
#[derive(Debug)]
pub struct Selected<'a> {
    /// Its key in the response.
    pub key: &'a str,
    /// Its name in the schema.
    pub name: &'a str,
    /// Its arguments.
    pub arguments: Map<String, Json>,
    /// The selection of its value.
    pub sets: Vec<&'a SelectionSet>,
    /// Its position in the document.
    pub place: Pos,
}

type Groups<'a> = IndexMap<&'a str, Vec<&'a Positioned<Field>>>;

impl<'a> Selector<'a> {
    /// The selected fields of an object of this type.
    ///
    /// # Errors
    /// 400 if arguments are invalid, or fields with the same key differ.
    pub fn fields(self, type_name: &str, sets: &[&'a SelectionSet]) -> Result<Vec<Selected<'a>>, Refusal> {
        let mut groups = Groups::new();
        for set in sets {
            self.collect(type_name, set, &mut groups, &mut Vec::new());
        }
        groups.into_iter().map(|(key, fields)| self.merge(type_name, key, &fields)).collect()
    }

    /// The selection of a value whose type contains no object of the dialect.
    ///
    /// # Errors
    /// 400 as [`Selector::fields`].
    pub fn leaf(self, type_name: &str, sets: &[&'a SelectionSet]) -> Result<Leaf, Refusal> {
        let types = self.reader.types;
        match types.get(type_name).or_else(|| introspect::TYPES.get(type_name)) {
            Some(TypeDef::Object(object)) => {
                let mut fields = Vec::new();
                for field in self.fields(type_name, sets)? {
                    let inner = match object.fields.get(field.name) {
                        Some(definition) => self.leaf(definition.ty.type_name(), &field.sets)?,
                        None => Leaf::Scalar,
                    };
                    fields.push((field.key.to_owned(), field.name.to_owned(), inner));
                }
                Ok(Leaf::Object(type_name.to_owned(), fields))
            }
            Some(TypeDef::Interface(_)) => {
                let mut by_type = HashMap::new();
                for (name, definition) in types {
                    if let TypeDef::Object(object) = definition
                        && object.implements.iter().any(|interface| interface == type_name)
                    {
                        by_type.insert(name.clone(), self.leaf(name, sets)?);
                    }
                }
                Ok(Leaf::Abstract(by_type))
            }
            _ => Ok(Leaf::Scalar),
        }
    }

    /// The object types that an interface or union stands for.
    pub fn members_of(self, name: &str) -> impl Iterator<Item = &'a str> {
        let types = self.reader.types.iter().filter(|(_, definition)| matches!(definition, TypeDef::Object(_)));
        types.map(|(member, _)| member.as_str()).filter(move |member| applies(self.reader.types, name, member))
    }

    /// The definition of a type.
    #[must_use]
    pub fn type_of(self, name: &str) -> Option<&'a TypeDef> {
        self.reader.types.get(name)
    }

    fn collect(self, type_name: &str, set: &'a SelectionSet, groups: &mut Groups<'a>, seen: &mut Vec<&'a str>) {
        for selection in &set.items {
            if self.is_skipped(selection.node.directives()) {
                continue;
            }
            match &selection.node {
                Selection::Field(field) => {
                    groups.entry(field.node.response_key().node.as_str()).or_default().push(field);
                }
                Selection::InlineFragment(fragment) => {
                    let condition =
                        fragment.node.type_condition.as_ref().map(|condition| condition.node.on.node.as_str());
                    if condition.is_none_or(|condition| applies(self.reader.types, condition, type_name)) {
                        self.collect(type_name, &fragment.node.selection_set.node, groups, seen);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    let Some(fragment) = self.document.fragments.get(name) else { continue };
                    if !seen.contains(&name)
                        && applies(self.reader.types, &fragment.node.type_condition.node.on.node, type_name)
                    {
                        seen.push(name);
                        self.collect(type_name, &fragment.node.selection_set.node, groups, seen);
                    }
                }
            }
        }
    }

    fn is_skipped(self, directives: &[Positioned<Directive>]) -> bool {
        directives.iter().any(|directive| {
            let condition = directive.node.arguments.iter().find(|(name, _)| name.node == "if").map(|(_, value)| {
                let value = value.node.clone().into_const_with(|name| self.variables.get(&name).cloned().ok_or(()));
                matches!(value, Ok(async_graphql::Value::Boolean(true)))
            });
            match directive.node.name.node.as_str() {
                "skip" => condition == Some(true),
                "include" => condition == Some(false),
                _ => false,
            }
        })
    }

    fn merge(self, type_name: &str, key: &'a str, fields: &[&'a Positioned<Field>]) -> Result<Selected<'a>, Refusal> {
        let conflict = |place| {
            Refusal::invalid(&format!("Fields \"{key}\" conflict. Use different aliases on the fields."), &[place])
        };
        let Some((first, rest)) = fields.split_first() else { return Err(conflict(Pos::default())) };
        let name = first.node.name.node.as_str();
        let arguments = self.arguments(type_name, first)?;
        for other in rest {
            if other.node.name.node != name || self.arguments(type_name, other)? != arguments {
                return Err(conflict(other.pos));
            }
        }
        let sets = fields.iter().map(|field| &field.node.selection_set.node).collect();
        Ok(Selected { key, name, arguments, sets, place: first.pos })
    }

    fn arguments(self, type_name: &str, field: &'a Positioned<Field>) -> Result<Map<String, Json>, Refusal> {
        match definitions(self.reader.types, type_name, &field.node.name.node) {
            Some(definitions) => coerce::arguments(self.reader, definitions, field, self.variables),
            None => Ok(Map::new()),
        }
    }
}

/// The argument of `__type`, which the query type does not contain.
static TYPE_ARGUMENTS: LazyLock<IndexMap<String, InputDef>> =
    LazyLock::new(|| IndexMap::from([("name".to_owned(), InputDef::new("String!"))]));

fn definitions<'a>(types: &'a Types, type_name: &str, field: &str) -> Option<&'a IndexMap<String, InputDef>> {
    if field == "__type" {
        return Some(&TYPE_ARGUMENTS);
    }
    match types.get(type_name).or_else(|| introspect::TYPES.get(type_name))? {
        TypeDef::Object(object) => object.fields.get(field).map(|field| &field.arguments),
        _ => None,
    }
}

/// Whether a fragment on `condition` applies to objects of the type.
fn applies(types: &Types, condition: &str, type_name: &str) -> bool {
    condition == type_name
        || match (types.get(condition), types.get(type_name)) {
            (Some(TypeDef::Interface(_)), Some(TypeDef::Object(object))) => {
                object.implements.iter().any(|name| name == condition)
            }
            (Some(TypeDef::Union(members)), _) => members.iter().any(|member| member == type_name),
            _ => false,
        }
}
