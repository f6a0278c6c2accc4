//! Compiles the root fields of an operation, before the first of them runs.

use async_graphql::Pos;
use async_graphql::parser::types::OperationType;
use serde_json::{Map, Value as Json};

use super::catalog::{Root, Roots};
use crate::graphql::engine::{Leaf, Refusal, Selected, Selector, Shape};
use crate::graphql::parse::catalog::Catalog;
use crate::graphql::parse::ids;
use crate::graphql::parse::plan::{Compiler, ConnectionPlan, ObjectPlan};
use crate::graphql::parse::subscription::{EventPlan, Followed};

/// A root field.
#[derive(Debug)]
pub struct RootField {
    /// Key in the response.
    pub key: String,
    /// Name in the schema.
    pub name: String,
    /// Whether it is a mutation.
    pub mutation: bool,
    /// Its position in the document.
    pub place: Pos,
    /// Its operation.
    pub root: Root,
    /// Its arguments, unless a connection has them; for mutations, those inside `input`.
    pub arguments: Map<String, Json>,
    /// The selection of its value.
    pub output: Output,
}

/// Selection of a root field's value.
#[derive(Debug)]
pub enum Output {
    /// Of a plain value.
    Leaf(Leaf),
    /// Of an object; `None` for a class that is not in the schema.
    Object(Option<ObjectPlan>),
    /// Of a connection.
    Connection(ConnectionPlan),
    /// Of the user and session.
    Viewer(ViewerPlan),
    /// Of the payload of a mutation.
    Payload(PayloadPlan),
    /// Of each event of a subscription.
    Event(EventPlan),
    /// Of a value that the app's code gives.
    Shape(Shape),
}

/// Selection of a viewer.
#[derive(Debug)]
pub struct ViewerPlan(pub Vec<(String, ViewerField)>);

/// One selected field of a viewer, by its GraphQL name.
#[derive(Debug)]
pub enum ViewerField {
    TypeName,
    SessionToken,
    User(ObjectPlan),
}

/// Selection of the payload of a mutation.
#[derive(Debug)]
pub struct PayloadPlan {
    /// Name of its type.
    pub type_name: String,
    /// Selected fields.
    pub fields: Vec<(String, PayloadField)>,
}

/// One selected field of a payload.
#[derive(Debug)]
pub enum PayloadField {
    TypeName,
    ClientMutationId,
    Ok,
    Object(ObjectPlan),
    Viewer(ViewerPlan),
    Leaf(String, Leaf),
}

impl ViewerPlan {
    /// The selections of the user.
    pub fn users(&self) -> impl Iterator<Item = &ObjectPlan> {
        self.0.iter().filter_map(|(_, field)| if let ViewerField::User(plan) = field { Some(plan) } else { None })
    }
}

impl PayloadPlan {
    /// The selections of the object.
    pub fn objects(&self) -> impl Iterator<Item = &ObjectPlan> {
        self.fields
            .iter()
            .filter_map(|(_, field)| if let PayloadField::Object(plan) = field { Some(plan) } else { None })
    }

    /// The selections of the viewer.
    pub fn viewers(&self) -> impl Iterator<Item = &ViewerPlan> {
        self.fields
            .iter()
            .filter_map(|(_, field)| if let PayloadField::Viewer(plan) = field { Some(plan) } else { None })
    }
}

/// Compiles a root field; `None` for those of every schema (`__typename`, introspection).
///
/// # Errors
/// 400 if arguments are invalid.
pub fn compile<'a>(
    selector: Selector<'a>,
    roots: &'a Roots,
    kind: OperationType,
    field: &mut Selected<'a>,
) -> Result<Option<RootField>, Refusal> {
    let catalog = &roots.classes;
    let compiler = &mut Compiler::new(selector, catalog);
    let mutation = kind == OperationType::Mutation;
    let roots = match kind {
        OperationType::Query => &roots.queries,
        OperationType::Mutation => &roots.mutations,
        OperationType::Subscription => &roots.subscriptions,
    };
    let Some(root) = roots.get(field.name) else { return Ok(None) };
    let output = match root {
        Root::Node => {
            let id = field.arguments.get("id").and_then(Json::as_str).unwrap_or_default();
            let class = ids::split(id).map(|(class, _)| class).unwrap_or_default();
            Output::Object(compiler.node(&class, &field.sets)?)
        }
        Root::Get(class) => Output::Object(Some(compiler.object(class, &field.sets)?)),
        Root::Find(class) => Output::Connection(compiler.connection(class, field)?),
        Root::Follow(class) => Output::Event(EventPlan::compile(compiler, class, &field.sets)?),
        Root::Health => Output::Leaf(Leaf::Scalar),
        Root::Viewer => Output::Viewer(viewer(compiler, catalog, &field.sets)?),
        Root::Class | Root::Classes => Output::Leaf(compiler.selector.leaf("Class", &field.sets)?),
        Root::CloudConfig => Output::Leaf(compiler.selector.leaf("ConfigValue", &field.sets)?),
        Root::Custom(custom) => Output::Shape(compiler.selector.shape(&custom.definition.ty, &field.sets)?),
        _ => Output::Payload(payload(compiler, catalog, root, field)?),
    };
    let mut arguments = std::mem::take(&mut field.arguments);
    let has_input = mutation && !matches!(root, Root::Custom(_));
    if has_input && let Some(Json::Object(input)) = arguments.remove("input") {
        arguments = input;
    }
    if matches!(root, Root::SignUp) && arguments.contains_key("fields") && arguments.contains_key("userFields") {
        return Err(Refusal::at(
            400,
            "BAD_USER_INPUT",
            "Only one of fields and userFields may be given.",
            &[field.place],
        ));
    }
    let (key, name) = (field.key.to_owned(), field.name.to_owned());
    Ok(Some(RootField { key, name, mutation, place: field.place, root: root.clone(), arguments, output }))
}

/// What a field of a subscription follows; `None`: it is a field of another root.
#[must_use]
pub fn followed(field: RootField) -> Option<Followed> {
    match (field.root, field.output) {
        (Root::Follow(class), Output::Event(plan)) => {
            Some(Followed { key: field.key, place: field.place, class, arguments: field.arguments, plan })
        }
        _ => None,
    }
}

fn viewer<'a>(
    compiler: &mut Compiler<'a>,
    catalog: &Catalog,
    sets: &[&'a async_graphql::parser::types::SelectionSet],
) -> Result<ViewerPlan, Refusal> {
    let mut fields = Vec::new();
    for field in compiler.selector.fields("Viewer", sets)? {
        let kind = match (field.name, catalog.class(crate::model::names::USER).cloned()) {
            ("user", Some(class)) => ViewerField::User(compiler.object(&class, &field.sets)?),
            ("sessionToken", _) => ViewerField::SessionToken,
            _ => ViewerField::TypeName,
        };
        fields.push((field.key.to_owned(), kind));
    }
    Ok(ViewerPlan(fields))
}

fn payload<'a>(
    compiler: &mut Compiler<'a>,
    catalog: &Catalog,
    root: &Root,
    field: &Selected<'a>,
) -> Result<PayloadPlan, Refusal> {
    let type_name = payload_type(root);
    let mut fields = Vec::new();
    for inner in compiler.selector.fields(&type_name, &field.sets)? {
        let kind = match (inner.name, root) {
            ("__typename", _) => PayloadField::TypeName,
            ("clientMutationId", _) => PayloadField::ClientMutationId,
            ("ok", _) => PayloadField::Ok,
            ("viewer", Root::SignUp | Root::LogIn | Root::LogInWith | Root::LogOut) => {
                PayloadField::Viewer(viewer(compiler, catalog, &inner.sets)?)
            }
            (_, Root::Create(class) | Root::Update(class) | Root::Delete(class)) => {
                PayloadField::Object(compiler.object(class, &inner.sets)?)
            }
            ("class", _) => PayloadField::Leaf("class".to_owned(), compiler.selector.leaf("Class", &inner.sets)?),
            ("cloudConfig", _) => {
                PayloadField::Leaf("cloudConfig".to_owned(), compiler.selector.leaf("ConfigValue", &inner.sets)?)
            }
            ("fileInfo", _) => {
                PayloadField::Leaf("fileInfo".to_owned(), compiler.selector.leaf("FileInfo", &inner.sets)?)
            }
            (name, _) => PayloadField::Leaf(name.to_owned(), Leaf::Scalar),
        };
        fields.push((inner.key.to_owned(), kind));
    }
    Ok(PayloadPlan { type_name, fields })
}

fn payload_type(root: &Root) -> String {
    let fixed = match root {
        Root::Create(class) => return format!("Create{}Payload", class.type_name),
        Root::Update(class) => return format!("Update{}Payload", class.type_name),
        Root::Delete(class) => return format!("Delete{}Payload", class.type_name),
        Root::CreateFile => "CreateFile",
        Root::SignUp => "SignUp",
        Root::LogIn => "LogIn",
        Root::LogInWith => "LogInWith",
        Root::LogOut => "LogOut",
        Root::ResetPassword => "ResetPassword",
        Root::ConfirmResetPassword => "ConfirmResetPassword",
        Root::SendVerificationEmail => "SendVerificationEmail",
        Root::Challenge => "Challenge",
        Root::CreateClass => "CreateClass",
        Root::UpdateClass => "UpdateClass",
        Root::DeleteClass => "DeleteClass",
        Root::UpdateCloudConfig => "UpdateCloudConfig",
        Root::CallCloudCode => "CallCloudCode",
        Root::Node
        | Root::Get(_)
        | Root::Find(_)
        | Root::Follow(_)
        | Root::Health
        | Root::Viewer
        | Root::Class
        | Root::Classes
        | Root::CloudConfig
        | Root::Custom(_) => "",
    };
    format!("{fixed}Payload")
}
