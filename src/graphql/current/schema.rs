//! Builds a schema from classes and configuration.

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use async_graphql::dynamic::SchemaError;
use indexmap::IndexMap;

use super::catalog::{Root, Roots};
use super::class_types::{self, find_field};
use super::names::{self, RESERVED_MUTATIONS, RESERVED_QUERIES, RESERVED_TYPES};
use super::where_input;
use crate::domain::features::live_query::Op;
use crate::graphql::engine::Schema;
use crate::graphql::engine::types::{self, FieldDef, ObjectDef, TypeDef, Types, is_name};
use crate::graphql::parse::catalog::{Catalog, Class, fields_of, shown};
use crate::graphql::parse::config::{ClassConfig, SchemaConfig};
use crate::graphql::parse::custom::CustomSchema;
use crate::graphql::parse::scalars;
use crate::graphql::parse::subscription::event_type;
use crate::model::names::USER;
use crate::model::schema::ClassSchema;

/// Types that every schema has.
static BASE: LazyLock<Result<Types, String>> = LazyLock::new(|| types::read_sdl(include_str!("base.graphql")));

/// The enumeration of what may happen to an object.
const EVENT_NAMES: &str = "LiveQueryEvent";

/// Types that a schema with users has.
static USERS: LazyLock<Result<Types, String>> = LazyLock::new(|| types::read_sdl(include_str!("users.graphql")));

/// Builds the schema of these classes.
///
/// # Errors
/// If the types do not fit together, which is a bug.
pub fn build(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<Schema<Roots>, SchemaError> {
    let (types, roots) = parts(classes, config)?;
    Schema::new(types, roots, scalars::to_json)
}

fn parts(classes: &[&ClassSchema], config: &SchemaConfig) -> Result<(Types, Roots), SchemaError> {
    let base = BASE.as_ref().map_err(|error| SchemaError(error.clone()))?;
    let users = USERS.as_ref().map_err(|error| SchemaError(error.clone()))?;
    let mut types = base.clone();
    let mut catalog = Catalog::new(config, |catalog, class, filter| where_input::to_rest(catalog, Some(class), filter));
    let mut made = Vec::new();
    let mut taken: HashSet<String> =
        RESERVED_TYPES.iter().map(|name| (*name).to_owned()).chain(base.keys().chain(users.keys()).cloned()).collect();
    let custom = config.custom.as_deref();
    taken.extend(custom.into_iter().flat_map(|custom| custom.types.keys().cloned()));
    for schema in shown(classes, config) {
        let class = Arc::new(class(schema, config));
        let wanted = class_types::names_of(&class.type_name);
        if class.type_name.ends_with("Connection")
            || !is_name(&class.type_name)
            || wanted.iter().any(|name| taken.contains(name))
        {
            tracing::warn!(class = %schema.name, "class is not in the GraphQL schema: the names of its types are taken");
            continue;
        }
        taken.extend(wanted);
        catalog.add(class.clone());
        made.push((class, schema));
    }

    let mut fields = RootFields::default();
    fields.query("node", FieldDef::new("Node").argument("id", "ID!"), Root::Node);
    let mut all = Types::new();
    for (class, schema) in &made {
        let config = config.class(&class.name);
        class_types::add(&mut all, &catalog, class, schema, config);
        fields.add_class(class, config);
    }
    types.extend(all);
    let members = std::iter::once("Element".to_owned()).chain(made.iter().map(|(class, _)| class.type_name.clone()));
    types.insert("ArrayResult".to_owned(), TypeDef::Union(members.collect()));
    if catalog.class(USER).is_some() {
        add_user_types(&mut types, users);
        fields.add_users();
    }
    fields.add_rest();
    if !config.functions.is_empty() {
        add_function_types(&mut types, &config.functions);
        fields.mutation("callCloudCode", Root::CallCloudCode);
    }
    if let Some(custom) = custom {
        types.extend(custom.types.clone());
        fields.add_custom(custom);
    }
    let subscriptions = add_subscriptions(&mut types, &made, config, &mut taken);
    let queries = split(fields.queries, "Query", &mut types);
    let mutations = split(fields.mutations, "Mutation", &mut types);
    Ok((types, Roots { classes: catalog, queries, mutations, subscriptions }))
}

/// Adds a root type with its fields; returns their operations.
fn split(fields: IndexMap<String, (FieldDef, Root)>, type_name: &str, types: &mut Types) -> IndexMap<String, Root> {
    let (mut object, mut roots) = (ObjectDef::default(), IndexMap::new());
    for (field, (definition, root)) in fields {
        object.fields.insert(field.clone(), definition);
        roots.insert(field, root);
    }
    types.insert(type_name.to_owned(), TypeDef::Object(object));
    roots
}

/// Adds a subscription for each published class that can be searched; returns them.
fn add_subscriptions(
    types: &mut Types,
    made: &[(Arc<Class>, &ClassSchema)],
    config: &SchemaConfig,
    taken: &mut HashSet<String>,
) -> IndexMap<String, Root> {
    let mut fields = IndexMap::new();
    let Some(published) = &config.published else { return IndexMap::new() };
    let offered = |class: &Class| published.covers(&class.name) && config.class(&class.name).allows("query", "find");
    for (class, _) in made.iter().filter(|(class, _)| offered(class)) {
        let (t, event) = (&class.type_name, event_type(&class.type_name));
        if taken.contains(EVENT_NAMES) || !taken.insert(event.clone()) {
            tracing::warn!(class = %class.name, "subscription is not in the GraphQL schema: the names of its types are taken");
            continue;
        }
        let (name, now) = (format!("{EVENT_NAMES}!"), format!("{t}!"));
        let object = [("event", name.as_str()), ("object", &now), ("original", t), ("resumeToken", "String!")];
        types.insert(event.clone(), types::object_of(&object));
        let field = FieldDef::new(&format!("{event}!"))
            .argument("where", &format!("{t}WhereInput"))
            .argument("events", &format!("[{EVENT_NAMES}!]"))
            .argument("watch", "[String!]")
            .argument("resume", "String");
        fields.insert(class.singular.clone(), (field, Root::Follow(class.clone())));
    }
    if fields.is_empty() {
        return IndexMap::new();
    }
    let names = Op::ALL.iter().map(|op| op.name().to_uppercase());
    types.insert(EVENT_NAMES.to_owned(), TypeDef::Enum(names.collect()));
    split(fields, types::SUBSCRIPTION, types)
}

fn class(schema: &ClassSchema, config: &SchemaConfig) -> Class {
    let name = schema.name.as_str();
    let type_name = names::type_name(name);
    Class {
        name: name.to_owned(),
        singular: names::singular_name(&type_name),
        rows_type: format!("{type_name}Connection"),
        type_name,
        fields: fields_of(schema),
        creatable: config.class(name).allows("mutation", "create"),
        is_user: name == USER,
    }
}

/// The cloud functions by name.
fn add_function_types(types: &mut Types, functions: &[String]) {
    types.insert("CloudCodeFunction".to_owned(), TypeDef::Enum(functions.to_vec()));
    let input = [("functionName", "CloudCodeFunction!"), ("params", "Object"), ("clientMutationId", "String")];
    types.insert("CallCloudCodeInput".to_owned(), types::input(&input));
    let payload = [("result", "Any"), ("clientMutationId", "String")];
    types.insert("CallCloudCodePayload".to_owned(), types::object_of(&payload));
}

fn add_user_types(types: &mut Types, users: &Types) {
    let login_fields = match types.get("CreateUserFieldsInput") {
        Some(TypeDef::Input(fields)) => fields
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "username" | "password" | "authData"))
            .map(|(name, input)| (name.clone(), input.clone()))
            .collect(),
        _ => IndexMap::new(),
    };
    types.insert("UserLoginWithInput".to_owned(), TypeDef::Input(login_fields));
    types.extend(users.iter().map(|(name, definition)| (name.clone(), definition.clone())));
}

/// The fields of the root types while they are collected.
#[derive(Default)]
struct RootFields {
    queries: IndexMap<String, (FieldDef, Root)>,
    mutations: IndexMap<String, (FieldDef, Root)>,
}

impl RootFields {
    fn query(&mut self, name: &str, field: FieldDef, root: Root) {
        self.queries.insert(name.to_owned(), (field, root));
    }

    fn mutation(&mut self, name: &str, root: Root) {
        let type_name = names::type_name(name);
        let field = FieldDef::new(&format!("{type_name}Payload")).argument("input", &format!("{type_name}Input!"));
        self.mutations.insert(name.to_owned(), (field, root));
    }

    fn add_class(&mut self, class: &Arc<Class>, config: ClassConfig<'_>) {
        let t = &class.type_name;
        if config.allows("query", "get") {
            let name = config.alias("query", "getAlias").unwrap_or(&class.singular);
            let field = FieldDef::new(&format!("{t}!")).argument("id", "ID!").argument("options", "ReadOptionsInput");
            self.class_query(name, field, Root::Get(class.clone()));
        }
        if config.allows("query", "find") {
            let plural = names::plural_name(t);
            let name = config.alias("query", "findAlias").unwrap_or(&plural);
            self.class_query(name, find_field(&format!("{t}Connection!"), t), Root::Find(class.clone()));
        }
        for (verb, key, alias, root) in [
            ("Create", "create", "createAlias", Root::Create(class.clone())),
            ("Update", "update", "updateAlias", Root::Update(class.clone())),
            ("Delete", "destroy", "destroyAlias", Root::Delete(class.clone())),
        ] {
            if !config.allows("mutation", key) {
                continue;
            }
            let own = format!("{}{t}", verb.to_lowercase());
            let name = config.alias("mutation", alias).unwrap_or(&own);
            if RESERVED_MUTATIONS.contains(&name) || self.mutations.contains_key(name) {
                tracing::warn!(class = %class.name, mutation = name, "mutation is not in the GraphQL schema: its name is taken");
                continue;
            }
            let field = FieldDef::new(&format!("{verb}{t}Payload")).argument("input", &format!("{verb}{t}Input!"));
            self.mutations.insert(name.to_owned(), (field, root));
        }
    }

    fn class_query(&mut self, name: &str, field: FieldDef, root: Root) {
        if RESERVED_QUERIES.contains(&name) || self.queries.contains_key(name) {
            tracing::warn!(query = name, "query is not in the GraphQL schema: its name is taken");
        } else {
            self.query(name, field, root);
        }
    }

    fn add_users(&mut self) {
        self.query("viewer", FieldDef::new("Viewer!"), Root::Viewer);
        for (name, root) in [
            ("signUp", Root::SignUp),
            ("logInWith", Root::LogInWith),
            ("logIn", Root::LogIn),
            ("logOut", Root::LogOut),
            ("resetPassword", Root::ResetPassword),
            ("confirmResetPassword", Root::ConfirmResetPassword),
            ("sendVerificationEmail", Root::SendVerificationEmail),
            ("challenge", Root::Challenge),
        ] {
            self.mutation(name, root);
        }
    }

    /// Fields that the app adds; they take the place of ours of the same name.
    fn add_custom(&mut self, custom: &CustomSchema) {
        for (into, fields) in [(&mut self.queries, &custom.queries), (&mut self.mutations, &custom.mutations)] {
            for (name, field) in fields {
                let root = Root::Custom(Arc::new(field.clone()));
                into.insert(name.clone(), (field.definition.clone(), root));
            }
        }
    }

    fn add_rest(&mut self) {
        self.query("health", FieldDef::new("Boolean!"), Root::Health);
        self.query("class", FieldDef::new("Class!").argument("name", "String!"), Root::Class);
        self.query("classes", FieldDef::new("[Class!]!"), Root::Classes);
        self.query("cloudConfig", FieldDef::new("ConfigValue!").argument("paramName", "String!"), Root::CloudConfig);
        for (name, root) in [
            ("createFile", Root::CreateFile),
            ("createClass", Root::CreateClass),
            ("updateClass", Root::UpdateClass),
            ("deleteClass", Root::DeleteClass),
            ("updateCloudConfig", Root::UpdateCloudConfig),
        ] {
            self.mutation(name, root);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::features::live_query::Published;
    use crate::graphql::engine::describe::undescribed;
    use crate::graphql::parse::samples::{differences, sample_class, sample_classes};
    use crate::model::names::ClassName;
    use crate::model::schema::FieldType;

    fn without_older(types: &Types) -> Types {
        let mut types = types.clone();
        for definition in types.values_mut() {
            match definition {
                TypeDef::Input(fields) => fields.retain(|_, field| !field.older),
                TypeDef::Object(object) => object.fields.retain(|_, field| !field.older),
                _ => {}
            }
        }
        types
    }

    fn compare(classes: &[ClassSchema], sdl: &str) {
        let classes: Vec<&ClassSchema> = classes.iter().collect();
        let built = build(&classes, &SchemaConfig::default()).unwrap();
        let mut theirs = types::read_sdl(sdl).unwrap();
        let found = differences(&without_older(&built.types), &theirs);
        assert!(found.is_empty(), "{}", found.join("\n"));
        // The older forms: see the chapter on GraphQL in the documentation.
        for (name, field, ty) in
            [("SignUpInput", "userFields", "CreateUserFieldsInput"), ("LogOutPayload", "viewer", "Viewer")]
        {
            match theirs.get_mut(name).unwrap() {
                TypeDef::Input(fields) => drop(fields.insert(field.to_owned(), types::InputDef::new(ty))),
                TypeDef::Object(object) => drop(object.fields.insert(field.to_owned(), FieldDef::new(ty))),
                _ => unreachable!(),
            }
        }
        let printed = types::read_sdl(&built.sdl()).unwrap();
        let found = differences(&printed, &theirs);
        assert!(found.is_empty(), "as async-graphql prints it:\n{}", found.join("\n"));
    }

    #[test]
    fn the_schema_of_a_fresh_server() {
        compare(&sample_classes()[..2], include_str!("../../../tests/data/graphql-default.graphql"));
    }

    #[test]
    fn the_schema_with_a_class_of_every_type() {
        compare(&sample_classes(), include_str!("../../../tests/data/graphql-sample.graphql"));
    }

    #[test]
    fn functions_can_be_called_where_there_are_any() {
        let config = SchemaConfig::default().with_functions(vec!["a.b".to_owned(), "hello".to_owned()]);
        let built = build(&[], &config).unwrap();
        assert_eq!(built.types["CloudCodeFunction"], TypeDef::Enum(vec!["hello".to_owned()]));
        assert!(built.catalog.mutations.contains_key("callCloudCode"));
        let config = SchemaConfig::default().with_functions(vec!["a.b".to_owned()]);
        assert!(!build(&[], &config).unwrap().types.contains_key("CloudCodeFunction"));
    }

    #[test]
    fn a_class_with_taken_names_is_left_out() {
        let classes = [
            sample_class(USER, &[]),
            sample_class("User", &[]),
            sample_class("Date", &[]),
            sample_class("FooConnection", &[]),
        ];
        let classes: Vec<&ClassSchema> = classes.iter().collect();
        let built = build(&classes, &SchemaConfig::default()).unwrap();
        assert!(built.catalog.classes.class("User").is_none());
        assert!(built.catalog.classes.class("Date").is_none());
        assert!(built.catalog.classes.class("FooConnection").is_none());
        assert!(built.catalog.classes.class(USER).is_some());
    }

    #[test]
    fn without_users_their_fields_are_gone() {
        let config = SchemaConfig::read(&serde_json::json!({"disabledForClasses": [USER]}));
        let classes = sample_classes();
        let classes: Vec<&ClassSchema> = classes.iter().collect();
        let built = build(&classes, &config).unwrap();
        assert!(!built.catalog.queries.contains_key("viewer"));
        assert!(!built.catalog.mutations.contains_key("signUp"));
        assert!(!built.catalog.mutations.contains_key("createUser"));
        assert!(built.catalog.mutations.contains_key("createGameScore"));
    }

    /// Each class adds as many types as the one before: nothing is built for pairs of classes.
    #[test]
    fn the_schema_grows_in_step_with_the_classes() {
        let kinds = [
            FieldType::String,
            FieldType::Number,
            FieldType::Date,
            FieldType::GeoPoint,
            FieldType::Pointer(ClassName::unchecked(USER)),
        ];
        let mut classes = vec![sample_class(USER, &[])];
        for number in 0..60 {
            let names: Vec<String> = (0..20).map(|field| format!("field{field}")).collect();
            let fields: Vec<(&str, FieldType)> =
                names.iter().zip(kinds.iter().cycle()).map(|(name, kind)| (name.as_str(), kind.clone())).collect();
            classes.push(sample_class(&format!("Class{number}"), &fields));
        }
        let classes: Vec<&ClassSchema> = classes.iter().collect();
        let types = |count: usize| build(&classes[..count], &SchemaConfig::default()).unwrap().types.len();
        let (none, some, many) = (types(1), types(31), types(61));
        assert!(some > none);
        assert_eq!(many - some, some - none);
    }

    #[test]
    fn every_part_has_a_description() {
        let classes = sample_classes();
        let classes: Vec<&ClassSchema> = classes.iter().collect();
        let config = SchemaConfig::default().with_published(Some(Arc::new(Published::new(&[".*".to_owned()]))));
        let schema = build(&classes, &config).unwrap();
        assert!(schema.types.contains_key("GameScoreEvent"));
        let missing = undescribed(&schema.types, &|place| super::super::descriptions::describe(&schema.catalog, place));
        assert!(missing.is_empty(), "{} without: {missing:#?}", missing.len());
    }
}
