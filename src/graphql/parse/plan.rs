//! What is to be read and shown of objects: selections compiled against the classes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use async_graphql::Pos;
use async_graphql::dynamic::TypeRef;
use async_graphql::parser::types::SelectionSet;
use serde_json::{Map, Value as Json};

use super::catalog::{Catalog, Class};
use crate::graphql::engine::types::TypeDef;
use crate::graphql::engine::{Leaf, Refusal, Selected, Selector};
use crate::model::query::parameters::QueryParameters;
use crate::model::schema::FieldType;

/// The field of REST that `id` is made of.
const OBJECT_ID: &str = "objectId";

/// Selection of an object of a class.
#[derive(Debug)]
pub struct ObjectPlan {
    /// The class.
    pub class: Arc<Class>,
    /// Selected fields.
    pub fields: Vec<ObjectField>,
}

/// One selected field of an object.
#[derive(Debug)]
pub struct ObjectField {
    /// Key in the answer.
    pub key: String,
    /// Name in the class (that of the field, not an alias).
    pub name: String,
    /// Whether the schema promises a value.
    pub required: bool,
    /// Where it stands.
    pub place: Pos,
    /// What it is.
    pub kind: FieldKind,
}

/// What a selected field is.
#[derive(Debug)]
pub enum FieldKind {
    /// `__typename`.
    TypeName,
    /// The global id.
    GlobalId,
    /// A value of this type.
    Value(FieldType, Leaf),
    /// A pointer to an object of a class in the schema.
    Pointer(ObjectPlan),
    /// An array; selections of its elements by type.
    Array(ArrayPlan),
    /// A relation to a class in the schema.
    Relation(ConnectionPlan),
}

/// Selection of the elements of an array.
#[derive(Debug)]
pub struct ArrayPlan {
    /// Of plain values.
    pub element: Leaf,
    /// Of objects, by class; only classes of which something is selected.
    pub objects: HashMap<String, ObjectPlan>,
}

/// Selection of a connection.
#[derive(Debug)]
pub struct ConnectionPlan {
    /// Tells this relation from others in the same operation.
    pub slot: usize,
    /// The class of its rows.
    pub class: Arc<Class>,
    /// The arguments.
    pub arguments: Map<String, Json>,
    /// Selected fields.
    pub fields: Vec<(String, ConnectionField)>,
}

/// One selected field of a connection, by its GraphQL name.
#[derive(Debug)]
pub enum ConnectionField {
    TypeName,
    Count,
    PageInfo(Leaf),
    Edges(Vec<(String, EdgeField)>),
    Results(ObjectPlan),
}

/// One selected field of an edge, by its GraphQL name.
#[derive(Debug)]
pub enum EdgeField {
    TypeName,
    Cursor,
    Node(ObjectPlan),
}

/// Compiles selections.
#[derive(Debug)]
pub struct Compiler<'a> {
    /// Reads selections.
    pub selector: Selector<'a>,
    /// The classes.
    pub catalog: &'a Catalog,
    slots: usize,
}

impl<'a> Compiler<'a> {
    /// A compiler for one root field.
    #[must_use]
    pub const fn new(selector: Selector<'a>, catalog: &'a Catalog) -> Self {
        Self { selector, catalog, slots: 0 }
    }

    /// Selection of an object of a class.
    ///
    /// # Errors
    /// 400 as [`Selector::fields`].
    pub fn object(&mut self, class: &Arc<Class>, sets: &[&'a SelectionSet]) -> Result<ObjectPlan, Refusal> {
        let mut fields = Vec::new();
        let definition = match self.selector.type_of(&class.type_name) {
            Some(TypeDef::Object(object)) => Some(object),
            _ => None,
        };
        for mut field in self.selector.fields(&class.type_name, sets)? {
            let ty = definition.and_then(|object| object.fields.get(field.name)).map(|field| &field.ty);
            let kind = match field.name {
                "__typename" => FieldKind::TypeName,
                "id" => FieldKind::GlobalId,
                _ => self.value(class, ty.map_or("", TypeRef::type_name), &mut field)?,
            };
            fields.push(ObjectField {
                key: field.key.to_owned(),
                name: field.name.to_owned(),
                required: matches!(ty, Some(TypeRef::NonNull(_))),
                place: field.place,
                kind,
            });
        }
        Ok(ObjectPlan { class: class.clone(), fields })
    }

    fn value(&mut self, class: &Arc<Class>, type_name: &str, field: &mut Selected<'a>) -> Result<FieldKind, Refusal> {
        let kind = class.fields.get(field.name).cloned().unwrap_or(FieldType::Object);
        let target = kind.target().and_then(|target| self.catalog.class(target.as_str())).cloned();
        Ok(match (&kind, target) {
            (FieldType::Pointer(_), Some(target)) => FieldKind::Pointer(self.object(&target, &field.sets)?),
            (FieldType::Relation(_), Some(target)) => FieldKind::Relation(self.connection(&target, field)?),
            (FieldType::Array, _) if type_name == "ArrayResult" => FieldKind::Array(self.array(&field.sets)?),
            _ => FieldKind::Value(kind, self.selector.leaf(type_name, &field.sets)?),
        })
    }

    fn array(&mut self, sets: &[&'a SelectionSet]) -> Result<ArrayPlan, Refusal> {
        let members = match self.selector.type_of("ArrayResult") {
            Some(TypeDef::Union(members)) => members.as_slice(),
            _ => &[],
        };
        let element = self.selector.leaf("Element", sets)?;
        let mut objects = HashMap::new();
        for class in members.iter().filter_map(|member| self.catalog.class_of_type(member)) {
            let plan = self.object(class, sets)?;
            if plan.fields.iter().any(|field| !matches!(field.kind, FieldKind::TypeName)) {
                objects.insert(class.name.clone(), plan);
            }
        }
        Ok(ArrayPlan { element, objects })
    }

    /// Selection of an object of any class, by class: for `node`.
    ///
    /// # Errors
    /// 400 as [`Selector::fields`].
    pub fn node(&mut self, class: &str, sets: &[&'a SelectionSet]) -> Result<Option<ObjectPlan>, Refusal> {
        match self.catalog.class(class).cloned() {
            Some(class) => self.object(&class, sets).map(Some),
            None => Ok(None),
        }
    }

    /// Selection of a connection, which takes the field's arguments.
    ///
    /// # Errors
    /// 400 as [`Selector::fields`].
    pub fn connection(&mut self, class: &Arc<Class>, field: &mut Selected<'a>) -> Result<ConnectionPlan, Refusal> {
        self.slots += 1;
        let slot = self.slots;
        let mut fields = Vec::new();
        for inner in self.selector.fields(&class.rows_type, &field.sets)? {
            let kind = match inner.name {
                "count" => ConnectionField::Count,
                "pageInfo" => ConnectionField::PageInfo(self.selector.leaf("PageInfo", &inner.sets)?),
                "results" => ConnectionField::Results(self.object(class, &inner.sets)?),
                "edges" => ConnectionField::Edges(self.edges(class, &inner.sets)?),
                _ => ConnectionField::TypeName,
            };
            fields.push((inner.key.to_owned(), kind));
        }
        Ok(ConnectionPlan { slot, class: class.clone(), arguments: std::mem::take(&mut field.arguments), fields })
    }

    fn edges(&mut self, class: &Arc<Class>, sets: &[&'a SelectionSet]) -> Result<Vec<(String, EdgeField)>, Refusal> {
        let mut edges = Vec::new();
        for field in self.selector.fields(&format!("{}Edge", class.type_name), sets)? {
            let kind = match field.name {
                "cursor" => EdgeField::Cursor,
                "node" => EdgeField::Node(self.object(class, &field.sets)?),
                _ => EdgeField::TypeName,
            };
            edges.push((field.key.to_owned(), kind));
        }
        Ok(edges)
    }
}

impl ConnectionPlan {
    /// Where to read from; the dialects have this in a value of its own or among the other arguments.
    #[must_use]
    pub fn options(&self) -> &Map<String, Json> {
        self.arguments.get("options").and_then(Json::as_object).unwrap_or(&self.arguments)
    }

    /// The selections of its nodes.
    pub fn nodes(&self) -> impl Iterator<Item = &ObjectPlan> {
        self.fields.iter().flat_map(|(_, field)| {
            let (edges, results) = match field {
                ConnectionField::Edges(edges) => (edges.as_slice(), None),
                ConnectionField::Results(plan) => (&[][..], Some(plan)),
                _ => (&[][..], None),
            };
            let nodes =
                edges.iter().filter_map(|(_, field)| if let EdgeField::Node(plan) = field { Some(plan) } else { None });
            nodes.chain(results)
        })
    }

    /// Whether rows must be read.
    #[must_use]
    pub fn wants_rows(&self) -> bool {
        self.fields.iter().any(|(_, field)| match field {
            ConnectionField::Edges(edges) => !edges.is_empty(),
            ConnectionField::Results(_) => true,
            ConnectionField::PageInfo(leaf) => !matches!(leaf, Leaf::Object(_, fields) if fields.is_empty()),
            ConnectionField::TypeName | ConnectionField::Count => false,
        })
    }

    /// Whether rows must be counted.
    #[must_use]
    pub fn wants_count(&self) -> bool {
        self.fields.iter().any(|(_, field)| match field {
            ConnectionField::Count => true,
            ConnectionField::PageInfo(Leaf::Object(_, fields)) => {
                fields.iter().any(|(_, name, _)| matches!(name.as_str(), "hasNextPage" | "hasPreviousPage"))
            }
            _ => false,
        })
    }
}

/// What a read must fetch for selections: fields, and pointers to follow.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    keys: BTreeSet<String>,
    include: BTreeSet<String>,
}

impl Wanted {
    /// What these selections of one object need.
    #[must_use]
    pub fn by<'p>(plans: impl IntoIterator<Item = &'p ObjectPlan>) -> Self {
        let mut wanted = Self::default();
        for plan in plans {
            wanted.add(plan, "");
        }
        wanted
    }

    fn add(&mut self, plan: &ObjectPlan, prefix: &str) {
        for field in &plan.fields {
            let path = format!("{prefix}{}", field.name);
            match &field.kind {
                FieldKind::TypeName => {}
                FieldKind::GlobalId => drop(self.keys.insert(format!("{prefix}objectId"))),
                FieldKind::Value(..) if field.name == "authDataResponse" && plan.class.is_user => {}
                FieldKind::Value(..) | FieldKind::Relation(_) => drop(self.keys.insert(path)),
                // Read even when only its id is selected: a pointer to what the caller may not read, or to nothing, shows as null.
                FieldKind::Pointer(inner) => {
                    self.add(inner, &format!("{path}."));
                    self.keys.insert(format!("{path}.objectId"));
                    self.include.insert(path);
                }
                FieldKind::Array(array) => {
                    if !array.objects.is_empty() {
                        self.include.insert(path.clone());
                        for inner in array.objects.values() {
                            self.add(inner, &format!("{path}."));
                        }
                    }
                    self.keys.insert(path);
                }
            }
        }
    }

    /// Whether nothing is selected.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Whether nothing but the object's id is selected.
    #[must_use]
    pub fn is_id_alone(&self) -> bool {
        self.keys.iter().all(|key| key == OBJECT_ID)
    }

    /// The parameters of a read that fetches this.
    #[must_use]
    pub fn parameters(&self) -> QueryParameters {
        let keys = if self.keys.is_empty() { vec![OBJECT_ID.to_owned()] } else { self.keys.iter().cloned().collect() };
        QueryParameters::selecting(keys, self.include.iter().cloned().collect())
    }
}
