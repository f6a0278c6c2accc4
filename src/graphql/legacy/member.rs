//! Compiles root fields and the members of their groups, before the first of them runs.

use std::sync::Arc;

use async_graphql::Pos;
use serde_json::{Map, Value as Json};

use super::schema::ME;
use crate::graphql::engine::{Leaf, Refusal, Selected, Selector};
use crate::graphql::parse::catalog::{Catalog, Class};
use crate::graphql::parse::plan::{Compiler, ConnectionPlan, ObjectPlan};
use crate::model::names::USER;
use crate::model::schema::FieldType;

/// A root field.
#[derive(Debug)]
pub struct RootField {
    /// Key in the response.
    pub key: String,
    /// Its kind.
    pub kind: RootKind,
}

/// Kind of a root field.
#[derive(Debug)]
pub enum RootKind {
    /// `health`.
    Health,
    /// A group: its type, whether it contains mutations, and the selected members.
    Group(String, bool, Vec<Member>),
}

/// A selected member of a group.
#[derive(Debug)]
pub struct Member {
    /// Key in the response.
    pub key: String,
    /// Its position in the document.
    pub place: Pos,
    /// Its arguments, unless a connection has them.
    pub arguments: Map<String, Json>,
    /// Whether it may be null.
    pub nullable: bool,
    /// Its operation.
    pub action: Action,
}

/// The operation of a member. Actions of `objects` without a class use the class in the arguments.
#[derive(Debug)]
pub enum Action {
    /// `__typename`.
    TypeName,
    /// Reads an object.
    Get(ObjectPlan),
    /// Reads rows.
    Find(ConnectionPlan),
    /// Creates an object.
    Create(Arc<Class>, Leaf),
    /// Changes an object.
    Update(Arc<Class>, Leaf),
    /// Deletes an object.
    Delete(Arc<Class>),
    /// Reads an object as REST shows it.
    GetAny,
    /// Reads objects as REST shows them.
    FindAny(Leaf),
    /// Creates an object from a body as REST takes it.
    CreateAny(Leaf),
    /// Changes an object by a body as REST takes it.
    UpdateAny(Leaf),
    /// Deletes an object.
    DeleteAny,
    /// Uploads a file.
    CreateFile(Leaf),
    /// Signs up.
    SignUp(Leaf),
    /// Logs in.
    LogIn(ObjectPlan),
    /// Logs out.
    LogOut,
    /// Gets the current user.
    Me(ObjectPlan),
}

/// Compiles a root field; `None` for those of every schema.
///
/// # Errors
/// 400 if arguments are invalid.
pub fn compile<'a>(
    selector: Selector<'a>,
    catalog: &'a Catalog,
    mutation: bool,
    field: &mut Selected<'a>,
) -> Result<Option<RootField>, Refusal> {
    let compiler = &mut Compiler::new(selector, catalog);
    let key = field.key.to_owned();
    let (group, members): (_, Members<'a>) = match field.name {
        "health" => return Ok(Some(RootField { key, kind: RootKind::Health })),
        "objects" => ("Objects", objects),
        "files" => ("Files", files),
        "users" => ("Users", users),
        _ => return Ok(None),
    };
    let group = format!("{group}{}", if mutation { "Mutation" } else { "Query" });
    let mut selected = Vec::new();
    for mut member in compiler.selector.fields(&group, &field.sets)? {
        let action =
            if member.name == "__typename" { Action::TypeName } else { members(compiler, catalog, &mut member)? };
        selected.push(Member {
            key: member.key.to_owned(),
            place: member.place,
            nullable: matches!(action, Action::Update(..)),
            action,
            arguments: member.arguments,
        });
    }
    Ok(Some(RootField { key, kind: RootKind::Group(group, mutation, selected) }))
}

fn objects<'a>(compiler: &mut Compiler<'a>, catalog: &Catalog, field: &mut Selected<'a>) -> Result<Action, Refusal> {
    let class = |verb: &str| field.name.strip_prefix(verb).and_then(|name| catalog.class(name)).cloned();
    Ok(match field.name {
        "get" => Action::GetAny,
        "find" => Action::FindAny(compiler.selector.leaf("FindResult", &field.sets)?),
        "create" => Action::CreateAny(compiler.selector.leaf("CreateResult", &field.sets)?),
        "update" => Action::UpdateAny(compiler.selector.leaf("UpdateResult", &field.sets)?),
        "delete" => Action::DeleteAny,
        _ => {
            if let Some(class) = class("get") {
                Action::Get(compiler.object(&class, &field.sets)?)
            } else if let Some(class) = class("find") {
                Action::Find(compiler.connection(&class, field)?)
            } else if let Some(class) = class("create") {
                Action::Create(class, compiler.selector.leaf("CreateResult", &field.sets)?)
            } else if let Some(class) = class("update") {
                Action::Update(class, compiler.selector.leaf("UpdateResult", &field.sets)?)
            } else if let Some(class) = class("delete") {
                Action::Delete(class)
            } else {
                Action::TypeName
            }
        }
    })
}

fn files<'a>(compiler: &mut Compiler<'a>, _catalog: &Catalog, field: &mut Selected<'a>) -> Result<Action, Refusal> {
    Ok(Action::CreateFile(compiler.selector.leaf("FileInfo", &field.sets)?))
}

fn users<'a>(compiler: &mut Compiler<'a>, catalog: &Catalog, field: &mut Selected<'a>) -> Result<Action, Refusal> {
    Ok(match (field.name, catalog.class(USER)) {
        ("signUp", _) => Action::SignUp(compiler.selector.leaf("SignUpResult", &field.sets)?),
        ("logIn", Some(user)) => Action::LogIn(compiler.object(&me(user), &field.sets)?),
        ("me", Some(user)) => Action::Me(compiler.object(&me(user), &field.sets)?),
        ("logOut", _) => Action::LogOut,
        _ => Action::TypeName,
    })
}

/// Compiles the members of a group.
type Members<'a> = fn(&mut Compiler<'a>, &Catalog, &mut Selected<'a>) -> Result<Action, Refusal>;

/// Reads users with the permissions of their own sessions.
fn me(user: &Class) -> Arc<Class> {
    let mut fields = user.fields.clone();
    fields.insert("sessionToken".to_owned(), FieldType::String);
    Arc::new(Class {
        name: user.name.clone(),
        type_name: ME.to_owned(),
        singular: user.singular.clone(),
        rows_type: user.rows_type.clone(),
        fields,
        creatable: user.creatable,
        is_user: true,
    })
}
