//! The types of a class.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::graphql::engine::types::{FieldDef, InputDef, ObjectDef, TypeDef, Types, input, is_name, object_of};
use crate::graphql::parse::catalog::{Catalog, Class};
use crate::graphql::parse::config::{ClassConfig, SortField};
use crate::model::schema::{ClassSchema, FieldType};

/// Fields that every object has; inputs do not have them.
const OBJECT_FIELDS: [&str; 4] = ["objectId", "createdAt", "updatedAt", "ACL"];

/// Operators that join filters; fields with these names are left out of filters.
const JOINERS: [&str; 3] = ["OR", "AND", "NOR"];

/// Names of the types of a class.
#[must_use]
pub fn names_of(type_name: &str) -> [String; 16] {
    let t = type_name;
    [
        t.to_owned(),
        format!("Create{t}FieldsInput"),
        format!("Update{t}FieldsInput"),
        format!("{t}PointerInput"),
        format!("{t}RelationInput"),
        format!("{t}WhereInput"),
        format!("{t}RelationWhereInput"),
        format!("{t}Order"),
        format!("{t}Edge"),
        format!("{t}Connection"),
        format!("Create{t}Input"),
        format!("Create{t}Payload"),
        format!("Update{t}Input"),
        format!("Update{t}Payload"),
        format!("Delete{t}Input"),
        format!("Delete{t}Payload"),
    ]
}

/// Adds the types of a class.
pub fn add(types: &mut Types, catalog: &Catalog, class: &Class, schema: &ClassSchema, config: ClassConfig<'_>) {
    let t = &class.type_name;
    let inputs = |chosen: Option<Vec<String>>, required: bool| {
        let mut fields = IndexMap::from([("ACL".to_owned(), InputDef::new("ACLInput"))]);
        for (name, kind) in own_fields(class, chosen.as_deref()) {
            let ty = input_type(catalog, kind);
            let must = required && schema.fields.get(name).is_some_and(|field| field.required);
            fields.insert(name.to_owned(), InputDef::new(&if must { format!("{ty}!") } else { ty }));
        }
        TypeDef::Input(fields)
    };
    types.insert(format!("Create{t}FieldsInput"), inputs(config.create_fields(), true));
    types.insert(format!("Update{t}FieldsInput"), inputs(config.update_fields(), false));
    add_link_inputs(types, class);
    types.insert(format!("{t}WhereInput"), where_input(catalog, class, config.where_fields().as_deref()));
    types.insert(
        format!("{t}RelationWhereInput"),
        input(&[("have", &format!("{t}WhereInput")), ("haveNot", &format!("{t}WhereInput")), ("exists", "Boolean")]),
    );
    types.insert(format!("{t}Order"), TypeDef::Enum(order_values(class, config.sort_fields())));
    types.insert(t.clone(), object(catalog, class, schema, config.output_fields().as_deref()));
    types.insert(format!("{t}Edge"), object_of(&[("node", t), ("cursor", "String!")]));
    types.insert(
        format!("{t}Connection"),
        object_of(&[("pageInfo", "PageInfo!"), ("edges", &format!("[{t}Edge]")), ("count", "Int!")]),
    );
    add_mutation_types(types, class, config);
}

fn add_link_inputs(types: &mut Types, class: &Class) {
    let t = &class.type_name;
    let create = format!("Create{t}FieldsInput");
    let many = format!("[{create}!]");
    let mut pointer = vec![("link", "ID")];
    let mut relation = vec![("add", "[ID!]"), ("remove", "[ID!]")];
    if class.creatable {
        pointer.push(("createAndLink", &create));
        relation.push(("createAndAdd", &many));
    }
    types.insert(format!("{t}PointerInput"), input(&pointer));
    types.insert(format!("{t}RelationInput"), input(&relation));
}

fn add_mutation_types(types: &mut Types, class: &Class, config: ClassConfig<'_>) {
    let t = &class.type_name;
    for (verb, key) in [("Create", "create"), ("Update", "update"), ("Delete", "destroy")] {
        if !config.allows("mutation", key) {
            continue;
        }
        let fields_type = format!("{verb}{t}FieldsInput");
        let mut fields = Vec::new();
        if verb != "Create" {
            fields.push(("id", "ID!"));
        }
        if verb != "Delete" {
            fields.push(("fields", fields_type.as_str()));
        }
        fields.push(("clientMutationId", "String"));
        types.insert(format!("{verb}{t}Input"), input(&fields));
        let payload = object_of(&[(&class.singular, &format!("{t}!")), ("clientMutationId", "String")]);
        types.insert(format!("{verb}{t}Payload"), payload);
    }
}

/// The field with the arguments of a find query.
#[must_use]
pub fn find_field(ty: &str, target: &str) -> FieldDef {
    FieldDef::new(ty)
        .argument("where", &format!("{target}WhereInput"))
        .argument("order", &format!("[{target}Order!]"))
        .argument("skip", "Int")
        .argument("after", "String")
        .argument("first", "Int")
        .argument("before", "String")
        .argument("last", "Int")
        .argument("options", "ReadOptionsInput")
}

/// The fields of a class without those that every object has; only the configured ones, if any are configured.
fn own_fields<'a>(class: &'a Class, chosen: Option<&[String]>) -> impl Iterator<Item = (&'a str, &'a FieldType)> {
    class.fields.iter().map(|(name, kind)| (name.as_str(), kind)).filter(move |(name, _)| {
        !OBJECT_FIELDS.contains(name)
            && *name != "id"
            && chosen.is_none_or(|chosen| chosen.iter().any(|field| field == name))
    })
}

fn input_type(catalog: &Catalog, kind: &FieldType) -> String {
    let linked = |suffix: &str, target: &str| {
        catalog.class(target).map_or_else(|| "Object".to_owned(), |class| format!("{}{suffix}", class.type_name))
    };
    match kind {
        FieldType::Pointer(target) => linked("PointerInput", target.as_str()),
        FieldType::Relation(target) => linked("RelationInput", target.as_str()),
        FieldType::Number => "Float".to_owned(),
        FieldType::Array => "[Any]".to_owned(),
        FieldType::File => "FileInput".to_owned(),
        FieldType::GeoPoint => "GeoPointInput".to_owned(),
        FieldType::Polygon => "[GeoPointInput!]".to_owned(),
        FieldType::Acl => "ACLInput".to_owned(),
        FieldType::String | FieldType::Boolean | FieldType::Date | FieldType::Object | FieldType::Bytes => {
            kind.name().to_owned()
        }
    }
}

fn output_type(catalog: &Catalog, kind: &FieldType) -> String {
    let linked = |suffix: &str, target: &str| {
        catalog.class(target).map_or_else(
            || format!("Object{}", suffix.strip_prefix("Connection").unwrap_or("")),
            |class| format!("{}{suffix}", class.type_name),
        )
    };
    match kind {
        FieldType::Pointer(target) => linked("", target.as_str()),
        FieldType::Relation(target) => linked("Connection!", target.as_str()),
        FieldType::Number => "Float".to_owned(),
        FieldType::Array => "[ArrayResult]".to_owned(),
        FieldType::File => "FileInfo".to_owned(),
        FieldType::Polygon => "[GeoPoint!]".to_owned(),
        FieldType::String
        | FieldType::Boolean
        | FieldType::Date
        | FieldType::Object
        | FieldType::Bytes
        | FieldType::GeoPoint
        | FieldType::Acl => kind.name().to_owned(),
    }
}

fn where_type(catalog: &Catalog, field: &str, kind: &FieldType) -> String {
    if field == "id" || field == "objectId" {
        return "IdWhereInput".to_owned();
    }
    match kind {
        FieldType::Pointer(target) | FieldType::Relation(target) => catalog
            .class(target.as_str())
            .map_or_else(|| "Object".to_owned(), |class| format!("{}RelationWhereInput", class.type_name)),
        FieldType::Acl => "ObjectWhereInput".to_owned(),
        kind => format!("{}WhereInput", kind.name()),
    }
}

fn where_input(catalog: &Catalog, class: &Class, chosen: Option<&[String]>) -> TypeDef {
    let mut fields = IndexMap::new();
    let all = class.fields.iter().map(|(name, kind)| (name.as_str(), kind));
    let shown: Vec<_> = match chosen {
        Some(_) => own_fields(class, chosen).collect(),
        None => all.chain([("id", &FieldType::String)]).collect(),
    };
    for (name, kind) in shown {
        if !JOINERS.contains(&name) {
            fields.insert(name.to_owned(), InputDef::new(&where_type(catalog, name, kind)));
        }
    }
    for joiner in JOINERS {
        fields.insert(joiner.to_owned(), InputDef::new(&format!("[{}WhereInput!]", class.type_name)));
    }
    TypeDef::Input(fields)
}

fn order_values(class: &Class, chosen: Option<Vec<SortField>>) -> Vec<String> {
    let every = |field: &str| SortField { field: field.to_owned(), ascending: true, descending: true };
    let fields = match chosen {
        Some(fields) if fields.iter().any(|field| field.ascending || field.descending) => fields,
        Some(_) => vec![every("id")],
        None => class.fields.keys().map(String::as_str).filter(|name| *name != "id").chain(["id"]).map(every).collect(),
    };
    let values: BTreeSet<String> = BTreeSet::new();
    let mut seen = values;
    let mut ordered = Vec::new();
    for field in fields {
        for (wanted, suffix) in [(field.ascending, "ASC"), (field.descending, "DESC")] {
            let value = format!("{}_{suffix}", field.field);
            if wanted && is_name(&value) && seen.insert(value.clone()) {
                ordered.push(value);
            }
        }
    }
    ordered
}

fn object(catalog: &Catalog, class: &Class, schema: &ClassSchema, chosen: Option<&[String]>) -> TypeDef {
    let mut fields = IndexMap::new();
    for (name, ty) in
        [("id", "ID!"), ("objectId", "ID!"), ("createdAt", "Date!"), ("updatedAt", "Date!"), ("ACL", "ACL!")]
    {
        fields.insert(name.to_owned(), FieldDef::new(ty));
    }
    if class.is_user {
        fields.insert("authDataResponse".to_owned(), FieldDef::new("Object"));
    }
    for (name, kind) in own_fields(class, chosen) {
        if class.is_user && name == "password" {
            continue;
        }
        let mut ty = output_type(catalog, kind);
        if schema.fields.get(name).is_some_and(|field| field.required) && !ty.ends_with('!') {
            ty.push('!');
        }
        let target = kind.target().and_then(|target| catalog.class(target.as_str()));
        let field = match (kind, target) {
            (FieldType::Relation(_), Some(target)) => find_field(&ty, &target.type_name),
            _ => FieldDef::new(&ty),
        };
        fields.insert(name.to_owned(), field);
    }
    TypeDef::Object(ObjectDef { implements: vec!["ParseObject".to_owned(), "Node".to_owned()], fields })
}
