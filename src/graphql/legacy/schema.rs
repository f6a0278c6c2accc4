//! Builds the schema of the legacy dialect: fixed types, and types for each class.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use async_graphql::dynamic::SchemaError;
use indexmap::IndexMap;

use super::input::filter;
use crate::graphql::engine::Schema;
use crate::graphql::engine::types::{self, FieldDef, InputDef, ObjectDef, TypeDef, Types, input, is_name, object_of};
use crate::graphql::parse::catalog::{Catalog, Class, fields_of, shown};
use crate::graphql::parse::config::{ClassConfig, SchemaConfig};
use crate::graphql::parse::scalars;
use crate::model::names::USER;
use crate::model::schema::{ClassSchema, FieldType};

/// Types that every schema has.
static BASE: LazyLock<Result<Types, String>> = LazyLock::new(|| types::read_sdl(include_str!("base.graphql")));

/// Types that a schema with users has.
static USERS: LazyLock<Result<Types, String>> = LazyLock::new(|| types::read_sdl(include_str!("users.graphql")));

/// The type of the current user.
pub const ME: &str = "Me";

/// Fields that every object has.
const OBJECT_FIELDS: [(&str, &str); 4] =
    [("objectId", "ID!"), ("createdAt", "Date!"), ("updatedAt", "Date!"), ("ACL", "Object")];

/// Arguments with read preferences.
const READ_OPTIONS: [&str; 2] = ["readPreference", "includeReadPreference"];

/// Builds the schema of these classes.
///
/// # Errors
/// If the types do not fit together, which is a bug.
pub fn build(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<Schema<Catalog>, SchemaError> {
    let base = BASE.as_ref().map_err(|error| SchemaError(error.clone()))?;
    let users = USERS.as_ref().map_err(|error| SchemaError(error.clone()))?;
    let mut catalog = Catalog::new(config, |_, _, given| Ok(filter(given)));
    let mut types = base.clone();
    let mut taken: HashSet<String> = base.keys().chain(users.keys()).cloned().collect();
    taken.extend([ME, "Query", "Mutation", "ObjectsQuery", "ObjectsMutation"].map(str::to_owned));
    let mut made = Vec::new();
    for schema in shown(classes, config) {
        let name = schema.name.as_str();
        let names = names_of(name);
        if !is_name(name) || names.iter().any(|name| taken.contains(name)) {
            tracing::warn!(
                class = name,
                "class left out of the early GraphQL schema: the names of its types are taken"
            );
            continue;
        }
        taken.extend(names);
        let class = Arc::new(Class {
            name: name.to_owned(),
            type_name: format!("{name}Class"),
            singular: name.to_owned(),
            rows_type: format!("{name}FindResult"),
            fields: fields_of(schema),
            creatable: config.class(name).allows("mutation", "create"),
            is_user: name == USER,
        });
        catalog.add(class.clone());
        made.push(class);
    }
    let mut all = Types::new();
    let mut groups = Groups::default();
    for class in &made {
        let config = config.class(&class.name);
        add_types(&mut all, &catalog, class, config);
        groups.add_class(class, config);
    }
    types.extend(all);
    let user = catalog.class(USER);
    if let Some(user) = user {
        add_user_types(&mut types, &catalog, user, config.class(USER), users);
    }
    groups.finish(&mut types, user.is_some());
    Schema::new(types, catalog, scalars::to_json)
}

/// Names of the types of a class.
fn names_of(class: &str) -> Vec<String> {
    ["Class", "Fields", "Constraints", "Order", "FindResult", "Pointer", "PointerConstraint", "RelationOp"]
        .iter()
        .map(|suffix| format!("{class}{suffix}"))
        .collect()
}

fn own_fields<'a>(
    class: &'a Class,
    chosen: Option<&'a [String]>,
) -> impl Iterator<Item = (&'a str, &'a FieldType)> + use<'a> {
    class.fields.iter().map(|(name, kind)| (name.as_str(), kind)).filter(move |(name, _)| {
        *name != "id"
            && !OBJECT_FIELDS.iter().any(|(field, _)| field == name)
            && chosen.is_none_or(|chosen| chosen.iter().any(|field| field == name))
    })
}

fn add_types(types: &mut Types, catalog: &Catalog, class: &Class, config: ClassConfig<'_>) {
    let name = &class.name;
    types.insert(class.type_name.clone(), object(catalog, class, config));
    types.insert(format!("{name}Fields"), TypeDef::Input(fields(catalog, class, config)));
    types.insert(format!("{name}Constraints"), constraints(catalog, class, config));
    types.insert(format!("{name}Order"), TypeDef::Enum(order_values(class, config)));
    types.insert(
        class.rows_type.clone(),
        object_of(&[("results", &format!("[{}!]!", class.type_name)), ("count", "Int!")]),
    );
    let pointer = format!("{name}Pointer");
    let many = format!("[{pointer}]");
    types.insert(
        format!("{name}PointerConstraint"),
        input(&[
            ("_eq", &pointer),
            ("_ne", &pointer),
            ("_in", &many),
            ("_nin", &many),
            ("_exists", "Boolean"),
            ("_select", "SelectOperator"),
            ("_dontSelect", "SelectOperator"),
            ("_inQuery", "Subquery"),
            ("_notInQuery", "Subquery"),
        ]),
    );
    types.insert(
        format!("{name}RelationOp"),
        input(&[
            ("_op", "RelationOp!"),
            ("ops", &format!("[{name}RelationOp!]")),
            ("objects", &format!("[{pointer}!]")),
        ]),
    );
    types.insert(pointer, TypeDef::Scalar);
}

fn object(catalog: &Catalog, class: &Class, config: ClassConfig<'_>) -> TypeDef {
    let mut fields: IndexMap<String, FieldDef> =
        OBJECT_FIELDS.iter().map(|(name, ty)| ((*name).to_owned(), FieldDef::new(ty))).collect();
    for (name, kind) in own_fields(class, config.output_fields().as_deref()) {
        let target = kind.target().and_then(|target| catalog.class(target.as_str()));
        let field = match (kind, target) {
            (FieldType::Pointer(_), Some(target)) => FieldDef::new(&target.type_name),
            (FieldType::Relation(_), Some(target)) => find_field(target),
            (FieldType::File, _) => FieldDef::new("FileInfo"),
            (FieldType::GeoPoint, _) => FieldDef::new("GeoPointInfo"),
            (FieldType::Polygon, _) => FieldDef::new("[GeoPointInfo!]"),
            _ => FieldDef::new(&plain_type(kind)),
        };
        fields.insert(name.to_owned(), field);
    }
    TypeDef::Object(ObjectDef { implements: vec!["Class".to_owned()], fields })
}

/// Types that inputs and outputs share.
fn plain_type(kind: &FieldType) -> String {
    match kind {
        FieldType::Number => "Float".to_owned(),
        FieldType::Array => "[Any]".to_owned(),
        FieldType::Pointer(_) | FieldType::Relation(_) | FieldType::Acl => "Object".to_owned(),
        kind => kind.name().to_owned(),
    }
}

/// The fields of inputs, which create and update share: those that the configuration allows for both.
fn fields(catalog: &Catalog, class: &Class, config: ClassConfig<'_>) -> IndexMap<String, InputDef> {
    let (create, update) = (config.create_fields(), config.update_fields());
    let updatable = |name: &str| update.as_ref().is_none_or(|chosen| chosen.iter().any(|field| field == name));
    let mut inputs = IndexMap::from([("ACL".to_owned(), InputDef::new("Object"))]);
    for (name, kind) in own_fields(class, create.as_deref()).filter(|(name, _)| updatable(name)) {
        let target = kind.target().filter(|target| catalog.class(target.as_str()).is_some());
        let ty = match (kind, target) {
            (FieldType::Pointer(_), Some(target)) => format!("{}Pointer", target.as_str()),
            (FieldType::Relation(_), Some(target)) => format!("{}RelationOp", target.as_str()),
            (FieldType::Polygon, _) => "[GeoPoint!]".to_owned(),
            (kind, _) => plain_type(kind),
        };
        inputs.insert(name.to_owned(), InputDef::new(&ty));
    }
    inputs
}

fn constraints(catalog: &Catalog, class: &Class, config: ClassConfig<'_>) -> TypeDef {
    let chosen = config.where_fields();
    let chosen = chosen.as_deref();
    let mut inputs = IndexMap::new();
    for (name, ty) in [
        ("objectId", "StringConstraint"),
        ("createdAt", "DateConstraint"),
        ("updatedAt", "DateConstraint"),
        ("ACL", "ObjectConstraint"),
    ] {
        if chosen.is_none() {
            inputs.insert(name.to_owned(), InputDef::new(ty));
        }
    }
    for (name, kind) in own_fields(class, chosen) {
        let target = kind.target().filter(|target| catalog.class(target.as_str()).is_some());
        let ty = match (kind, target) {
            (FieldType::Relation(_), _) => continue,
            (FieldType::Pointer(_), Some(target)) => format!("{}PointerConstraint", target.as_str()),
            (FieldType::Pointer(_), None) => "Object".to_owned(),
            (FieldType::Acl, _) => "ObjectConstraint".to_owned(),
            (kind, _) => format!("{}Constraint", kind.name()),
        };
        inputs.insert(name.to_owned(), InputDef::new(&ty));
    }
    for joiner in ["_or", "_and", "_nor"] {
        inputs.insert(joiner.to_owned(), InputDef::new(&format!("[{}Constraints!]", class.name)));
    }
    TypeDef::Input(inputs)
}

fn order_values(class: &Class, config: ClassConfig<'_>) -> Vec<String> {
    let both = |name: &str| [format!("{name}_ASC"), format!("{name}_DESC")];
    let all = || {
        let every = OBJECT_FIELDS.iter().map(|(name, _)| *name);
        every.chain(own_fields(class, None).map(|(name, _)| name)).flat_map(both).collect()
    };
    let Some(chosen) = config.sort_fields() else { return all() };
    let mut values: Vec<String> = Vec::new();
    for field in chosen.iter().filter(|chosen| is_name(&chosen.field)) {
        let [ascending, descending] = both(&field.field);
        let wanted = [field.ascending.then_some(ascending), field.descending.then_some(descending)];
        for value in wanted.into_iter().flatten() {
            if !values.contains(&value) {
                values.push(value);
            }
        }
    }
    if values.is_empty() { both("objectId").into() } else { values }
}

fn read_options(field: FieldDef, find: bool) -> FieldDef {
    let options = READ_OPTIONS.into_iter().chain(find.then_some("subqueryReadPreference"));
    options.fold(field, |field, option| field.argument(option, "ReadPreference"))
}

fn find_field(class: &Class) -> FieldDef {
    let field = FieldDef::new(&format!("{}!", class.rows_type))
        .argument("where", &format!("{}Constraints", class.name))
        .argument("order", &format!("[{}Order!]", class.name))
        .argument("skip", "Int")
        .argument("limit", "Int");
    read_options(field, true)
}

fn add_user_types(types: &mut Types, catalog: &Catalog, user: &Class, config: ClassConfig<'_>, users: &Types) {
    let mut sign_up = fields(catalog, user, config);
    for needed in ["username", "password"] {
        sign_up.insert(needed.to_owned(), InputDef::new("String!"));
    }
    types.insert(format!("{USER}SignUpFields"), TypeDef::Input(sign_up));
    if let TypeDef::Object(mut me) = object(catalog, user, config) {
        me.fields.insert("sessionToken".to_owned(), FieldDef::new("String!"));
        types.insert(ME.to_owned(), TypeDef::Object(me));
    }
    types.extend(users.iter().map(|(name, definition)| (name.clone(), definition.clone())));
}

/// The members of the groups of objects while they are collected.
#[derive(Default)]
struct Groups {
    queries: IndexMap<String, FieldDef>,
    mutations: IndexMap<String, FieldDef>,
}

impl Groups {
    fn add_class(&mut self, class: &Class, config: ClassConfig<'_>) {
        let name = &class.name;
        let fields = format!("{name}Fields");
        if config.allows("query", "get") {
            let field = FieldDef::new(&format!("{}!", class.type_name)).argument("objectId", "ID!");
            self.queries.insert(format!("get{name}"), read_options(field, false));
        }
        if config.allows("query", "find") {
            self.queries.insert(format!("find{name}"), find_field(class));
        }
        if config.allows("mutation", "create") {
            self.mutations.insert(format!("create{name}"), FieldDef::new("CreateResult!").argument("fields", &fields));
        }
        if config.allows("mutation", "update") {
            let field = FieldDef::new("UpdateResult").argument("objectId", "ID!").argument("fields", &fields);
            self.mutations.insert(format!("update{name}"), field);
        }
        if config.allows("mutation", "destroy") {
            self.mutations.insert(format!("delete{name}"), FieldDef::new("Boolean!").argument("objectId", "ID!"));
        }
    }

    /// Adds the members for any class, and the root types.
    fn finish(mut self, types: &mut Types, with_users: bool) {
        let generic = |ty: &str| FieldDef::new(ty).argument("className", "String!");
        let get =
            generic("Object!").argument("objectId", "ID!").argument("keys", "String").argument("include", "String");
        self.queries.insert("get".to_owned(), read_options(get, false));
        let find = generic("FindResult!")
            .argument("where", "Object")
            .argument("order", "String")
            .argument("skip", "Int")
            .argument("limit", "Int")
            .argument("keys", "String")
            .argument("include", "String")
            .argument("includeAll", "Boolean");
        self.queries.insert("find".to_owned(), read_options(find, true));
        let update = generic("UpdateResult!").argument("objectId", "ID!").argument("fields", "Object");
        self.mutations.insert("create".to_owned(), generic("CreateResult!").argument("fields", "Object"));
        self.mutations.insert("update".to_owned(), update);
        self.mutations.insert("delete".to_owned(), generic("Boolean!").argument("objectId", "ID!"));
        for (name, fields) in [("ObjectsQuery", self.queries), ("ObjectsMutation", self.mutations)] {
            types.insert(name.to_owned(), TypeDef::Object(ObjectDef { implements: Vec::new(), fields }));
        }
        let mut query = vec![("health", "Boolean!"), ("objects", "ObjectsQuery")];
        let mut mutation = vec![("objects", "ObjectsMutation"), ("files", "FilesMutation")];
        if with_users {
            query.push(("users", "UsersQuery"));
            mutation.push(("users", "UsersMutation"));
        }
        types.insert("Query".to_owned(), object_of(&query));
        types.insert("Mutation".to_owned(), object_of(&mutation));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::engine::describe::undescribed;
    use crate::graphql::parse::samples::{differences, sample_class, sample_classes, sample_fields};
    use crate::model::names::{ClassName, ROLE, SESSION};

    fn compare(classes: &[ClassSchema], sdl: &str) {
        let classes: Vec<&ClassSchema> = classes.iter().collect();
        let built = build(&classes, &SchemaConfig::default()).unwrap();
        let theirs = types::read_sdl(sdl).unwrap();
        let found = differences(&built.types, &theirs);
        assert!(found.is_empty(), "{}", found.join("\n"));
        let printed = types::read_sdl(&built.sdl()).unwrap();
        let found = differences(&printed, &theirs);
        assert!(found.is_empty(), "as async-graphql prints it:\n{}", found.join("\n"));
    }

    #[test]
    fn the_schema_of_a_fresh_server() {
        let classes = [sample_class(USER, &[]), sample_class(ROLE, &[])];
        compare(&classes, include_str!("../../../tests/data/graphql-legacy.graphql"));
    }

    #[test]
    fn the_schema_with_a_class_of_every_type() {
        let session = [
            ("restricted", FieldType::Boolean),
            ("user", FieldType::Pointer(ClassName::unchecked(USER))),
            ("installationId", FieldType::String),
            ("sessionToken", FieldType::String),
            ("expiresAt", FieldType::Date),
            ("createdWith", FieldType::Object),
        ];
        let classes = [
            sample_class(USER, &[]),
            sample_class(ROLE, &[]),
            sample_class(SESSION, &session),
            sample_class("GameScore", &sample_fields()),
        ];
        compare(&classes, include_str!("../../../tests/data/graphql-legacy-sample.graphql"));
    }

    #[test]
    fn what_the_configuration_closes_is_closed_here() {
        let classes =
            [sample_class(USER, &[]), sample_class("A", &[("x", FieldType::String), ("y", FieldType::String)])];
        let classes: Vec<&ClassSchema> = classes.iter().collect();
        let config = SchemaConfig::read(&serde_json::json!({
            "disabledForClasses": [USER],
            "classConfigs": [{"className": "A", "query": {"find": false}, "mutation": {"destroy": false},
                "type": {"outputFields": ["x"], "inputFields": {"create": ["x"]}, "constraintFields": ["x"],
                    "sortFields": [{"field": "x", "asc": true, "desc": false}]}}]
        }));
        let built = build(&classes, &config).unwrap();
        let sdl = built.sdl();
        for gone in ["findA", "deleteA", "\ty:", "y_ASC", "x_DESC", "users", "_User"] {
            assert!(!sdl.contains(gone), "{gone}\n{sdl}");
        }
        for there in ["getA(", "createA(", "updateA(", "x_ASC"] {
            assert!(sdl.contains(there), "{there}");
        }
    }

    /// Whatever classes there are, the schema is one: names that clash are left out.
    #[test]
    fn classes_with_taken_names_are_left_out() {
        let classes = [sample_class("Geo", &[]), sample_class("GeoPoint", &[]), sample_class("Users", &[])];
        let classes: Vec<&ClassSchema> = classes.iter().collect();
        let built = build(&classes, &SchemaConfig::default()).unwrap();
        assert!(built.catalog.class("Users").is_some());
    }

    #[test]
    fn every_part_has_a_description() {
        let classes = sample_classes();
        let classes: Vec<&ClassSchema> = classes.iter().collect();
        let schema = build(&classes, &SchemaConfig::default()).unwrap();
        let missing = undescribed(&schema.types, &|place| super::super::descriptions::describe(&schema.catalog, place));
        assert!(missing.is_empty(), "{} without: {missing:#?}", missing.len());
    }
}
