//! Resolves the members of groups; each calls the domain once and writes its result.

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json, json};

use super::input::{body, filter};
use super::member::{Action, Member, RootField, RootKind};
use crate::domain::classes;
use crate::domain::features::users;
use crate::error::{ErrorCode, ParseError, Result};
use crate::graphql::engine::{Answer, Leaf, Step, TOGETHER, Text, gather, project};
use crate::graphql::parse::catalog::Class;
use crate::graphql::parse::config::ClassConfig;
use crate::graphql::parse::error::parse_error;
use crate::graphql::parse::fetch::Connection;
use crate::graphql::parse::plan::{ConnectionPlan, ObjectPlan, Wanted};
use crate::graphql::parse::relations::Relations;
use crate::graphql::parse::render::Renderer;
use crate::graphql::parse::run::Run;
use crate::graphql::parse::session::{no_session, read_own, standing_after, with_session};
use crate::graphql::parse::uploads;
use crate::http::gate::operations::{Operation, Verb};
use crate::model::names::USER;
use crate::model::object::Object;
use crate::model::value::Value;

/// The field of a user with the session token.
const SESSION_TOKEN: &str = "sessionToken";

/// Resolves a root field. Mutations of a group run in order; the next one runs even if one fails.
pub async fn answer(run: Run<'_>, field: &RootField) -> Answer {
    let key = field.key.clone();
    let RootKind::Group(type_name, mutation, members) = &field.kind else {
        return Answer { key, value: Some(Text::of(&true)), errors: Vec::new(), nullable: false };
    };
    let group: &str = &key;
    let mut runs: Vec<BoxFuture<'_, Answer>> = Vec::with_capacity(members.len());
    for member in members {
        runs.push(Box::pin(run_member(run, group, type_name, member)));
    }
    let together = if *mutation { 1 } else { TOGETHER };
    let answers: Vec<Answer> = futures_util::stream::iter(runs).buffered(together).collect().await;
    let (value, errors) = gather(answers);
    Answer { key, value, errors, nullable: true }
}

async fn run_member(run: Run<'_>, group: &str, type_name: &str, member: &Member) -> Answer {
    let sanitize = run.sanitizes();
    let path = vec![Step::Key(group), Step::Key(&member.key)];
    let found = if matches!(member.action, Action::TypeName) {
        Ok(Found::Json(Json::from(type_name)))
    } else {
        resolve(run, member).await
    };
    let (value, errors) = match found {
        Err(error) => (None, vec![parse_error(&error, member.place, &Step::path(&path), sanitize)]),
        Ok(Found::Json(value)) => (Some(Text::of(&value)), Vec::new()),
        Ok(Found::Object(plan, object)) => {
            let relations = run.fetcher().relations([(plan, &object)]).await;
            write(&relations, path, sanitize, |renderer| renderer.object(plan, &object))
        }
        Ok(Found::Rows(plan, rows)) => {
            let objects: Vec<(&ObjectPlan, &Object)> =
                plan.nodes().flat_map(|node| rows.rows.iter().map(move |row| (node, row))).collect();
            let relations = run.fetcher().relations(objects).await;
            write(&relations, path, sanitize, |renderer| {
                renderer.connection(plan, &rows);
                true
            })
        }
    };
    Answer { key: member.key.clone(), value, errors, nullable: member.nullable }
}

fn write<'a>(
    relations: &'a Relations,
    path: Vec<Step<'a>>,
    sanitize: bool,
    render: impl FnOnce(&mut Renderer<'a>) -> bool,
) -> (Option<Text>, Vec<Json>) {
    let mut renderer = Renderer { relations, path, out: Text::default(), errors: Vec::new(), sanitize };
    let written = render(&mut renderer);
    (written.then_some(renderer.out), renderer.errors)
}

/// The result of a member.
enum Found<'a> {
    /// A value for the response.
    Json(Json),
    /// An object and its selection.
    Object(&'a ObjectPlan, Object),
    /// Rows and their selection.
    Rows(&'a ConnectionPlan, Connection),
}

/// The REST operation of a member.
fn operation(member: &Member) -> Option<Operation> {
    let text = |key: &str| member.arguments.get(key).and_then(Json::as_str).unwrap_or_default();
    let all = |verb, class: &str| Operation::Object(verb, class.to_owned(), String::new());
    let one = |verb, class: &str| Operation::Object(verb, class.to_owned(), text("objectId").to_owned());
    let class = text("className");
    Some(match &member.action {
        Action::TypeName => return None,
        Action::Get(plan) => one(Verb::Get, &plan.class.name),
        Action::Find(plan) => all(Verb::Find, &plan.class.name),
        Action::Create(class, _) => all(Verb::Create, &class.name),
        Action::Update(class, _) => one(Verb::Update, &class.name),
        Action::Delete(class) => one(Verb::Delete, &class.name),
        Action::GetAny => one(Verb::Get, class),
        Action::FindAny(_) => all(Verb::Find, class),
        Action::CreateAny(_) => all(Verb::Create, class),
        Action::UpdateAny(_) => one(Verb::Update, class),
        Action::DeleteAny => one(Verb::Delete, class),
        Action::CreateFile(_) => Operation::On("uploadFile", "file".to_owned()),
        Action::SignUp(_) => all(Verb::Create, USER),
        Action::LogIn(_) => Operation::Named("logIn"),
        Action::LogOut => Operation::Named("logOut"),
        Action::Me(_) => Operation::Named("getCurrentUser"),
    })
}

async fn resolve<'a>(run: Run<'_>, member: &'a Member) -> Result<Found<'a>> {
    let cx = run.cx;
    if let Some(operation) = operation(member) {
        run.gate.admit(cx, &operation).await?;
    }
    let text = |key: &str| member.arguments.get(key).and_then(Json::as_str).unwrap_or_default();
    let fields = || member.arguments.get("fields").and_then(Json::as_object).cloned().unwrap_or_default();
    let typed = |class: &Class| body(class, &fields());
    let any = |kind: &str, verb: &str| any_class(run, text("className"), kind, verb);
    let id = text("objectId");
    Ok(match &member.action {
        Action::Get(plan) => {
            let wanted = Wanted::by([plan]);
            let object = run.fetcher().object(&plan.class.name, id, &wanted, Some(&member.arguments)).await?;
            Found::Object(plan, object)
        }
        Action::Find(plan) => Found::Rows(plan, run.fetcher().connection(plan, None).await?),
        Action::Create(class, leaf) => shown(leaf, &classes::create(cx, &class.name, typed(class)).await?.body)?,
        Action::Update(class, leaf) => shown(leaf, &classes::update(cx, &class.name, id, typed(class)).await?.body)?,
        Action::Delete(class) => {
            classes::delete(cx, &class.name, id).await?;
            Found::Json(Json::from(true))
        }
        Action::GetAny => {
            let class = any("query", "get")?;
            let object = classes::get(cx, class, id, parameters(member, &GET)).await?;
            Found::Json(json(&object)?)
        }
        Action::FindAny(leaf) => Found::Json(find_any(run, any("query", "find")?, member, leaf).await?),
        Action::CreateAny(leaf) => {
            let class = any("mutation", "create")?;
            shown(leaf, &classes::create(cx, class, fields()).await?.body)?
        }
        Action::UpdateAny(leaf) => {
            let class = any("mutation", "update")?;
            shown(leaf, &classes::update(cx, class, id, fields()).await?.body)?
        }
        Action::DeleteAny => {
            classes::delete(cx, any("mutation", "destroy")?, id).await?;
            Found::Json(Json::from(true))
        }
        Action::CreateFile(leaf) => {
            let upload = member.arguments.get("file").unwrap_or(&Json::Null);
            let info = uploads::store(run, upload).await?;
            Found::Json(project(leaf, &info))
        }
        Action::SignUp(leaf) => {
            let given = run.catalog.class(USER).map(|class| typed(class)).unwrap_or_default();
            let saved = classes::create(&with_session(cx), USER, given).await?.body;
            if leaf.selects(SESSION_TOKEN) && saved.get_str(SESSION_TOKEN).is_none() {
                return Err(no_session());
            }
            shown(leaf, &saved)?
        }
        Action::LogIn(plan) => {
            let given = ["username", "password"].map(|key| (key.to_owned(), Json::from(text(key))));
            let user = users::log_in(cx, given.into_iter().collect()).await?;
            let token = user.get_str(SESSION_TOKEN).ok_or_else(no_session)?;
            let own = run.cx.with_auth(standing_after(cx, &user));
            let id = user.get_str("objectId").unwrap_or_default();
            Found::Object(plan, me(Run { cx: &own, ..run }, plan, id, token).await?)
        }
        Action::Me(plan) => {
            let (Some(token), Some(id)) = (cx.session_token.as_deref(), cx.auth.user_id()) else {
                return Err(no_session());
            };
            Found::Object(plan, me(run, plan, id, token).await?)
        }
        Action::LogOut => {
            users::log_out(cx).await?;
            Found::Json(Json::from(true))
        }
        Action::TypeName => Found::Json(Json::Null),
    })
}

/// The class of an operation on any class. Such an operation cannot hide fields, so it is refused for classes that the
/// GraphQL configuration hides, hides partly, or has this operation disabled for.
fn any_class<'m>(run: Run<'_>, name: &'m str, kind: &str, verb: &str) -> Result<&'m str> {
    let config = &run.catalog.config;
    let class: ClassConfig<'_> = config.class(name);
    if config.shows(name) && class.allows(kind, verb) && class.is_whole() {
        Ok(name)
    } else {
        Err(ParseError::sanitized(ErrorCode::OperationForbidden, "This operation is not offered for this class."))
    }
}

const GET: [&str; 4] = ["keys", "include", "readPreference", "includeReadPreference"];

const FIND: [&str; 9] = [
    "order",
    "skip",
    "limit",
    "keys",
    "include",
    "includeAll",
    "readPreference",
    "includeReadPreference",
    "subqueryReadPreference",
];

/// The arguments that have the same names in REST.
fn parameters(member: &Member, names: &[&str]) -> Map<String, Json> {
    let given = |name: &&str| Some(((*name).to_owned(), member.arguments.get(*name)?.clone()));
    names.iter().filter_map(given).filter(|(_, value)| !value.is_null()).collect()
}

async fn find_any(run: Run<'_>, class: &str, member: &Member, leaf: &Leaf) -> Result<Json> {
    let mut given = parameters(member, &FIND);
    if let Some(Json::Object(demanded)) = member.arguments.get("where") {
        given.insert("where".to_owned(), Json::Object(filter(demanded)));
    }
    if !leaf.selects("results") {
        given.insert("limit".to_owned(), json!(0));
    }
    if leaf.selects("count") {
        given.insert("count".to_owned(), json!(1));
    }
    let found = classes::find(run.cx, class, given).await?;
    let rows = found.results.iter().map(json).collect::<Result<Vec<_>>>()?;
    Ok(project(leaf, &json!({ "results": rows, "count": found.count.unwrap_or(0) })))
}

/// The user of a session, as that session may read it.
async fn me(run: Run<'_>, plan: &ObjectPlan, id: &str, token: &str) -> Result<Object> {
    let mut parameters = Wanted::by([plan]).parameters();
    // The token is not a field of the user.
    let keys = parameters.keys.get_or_insert_default();
    keys.retain(|key| key != SESSION_TOKEN);
    keys.push("objectId".to_owned());
    let mut user = read_own(run.cx, id, parameters).await?;
    user.insert(SESSION_TOKEN, Value::from(token));
    Ok(user)
}

/// The selected fields of the response to a write.
fn shown<'a>(leaf: &Leaf, saved: &Object) -> Result<Found<'a>> {
    Ok(Found::Json(project(leaf, &json(saved)?)))
}

fn json(object: &Object) -> Result<Json> {
    serde_json::to_value(object).map_err(ParseError::internal)
}
