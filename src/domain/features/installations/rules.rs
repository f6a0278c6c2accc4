//! Rules of the class `_Installation`: normalises ids, and finds the row that a write refers to.

use std::ops::ControlFlow;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::merge;
use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::stages::{Draft, Saved};
use crate::domain::permissions::Operation;
use crate::domain::read;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names;
use crate::model::object::Object;
use crate::model::query::options::FindOptions;
use crate::model::query::{Filter, Resolved};

/// Length of iOS device tokens, which are compared ignoring case.
const IOS_TOKEN_LENGTH: usize = 64;

/// Rules of the class `_Installation`.
pub struct InstallationRules;

impl ClassRules for InstallationRules {
    fn refuse(&self, cx: &Context, operation: Operation) -> Result<()> {
        if matches!(operation, Operation::Find | Operation::Count | Operation::Delete) && !cx.auth.is_master() {
            let verb = if operation == Operation::Delete { "delete" } else { "find" };
            return Err(ParseError::forbidden(format!(
                "Clients aren't allowed to perform the {verb} operation on the installation collection."
            )));
        }
        Ok(())
    }

    fn prepare<'a>(&'a self, cx: &'a Context, mut draft: Draft) -> BoxFuture<'a, Result<ControlFlow<Saved, Draft>>> {
        Box::pin(async move {
            let sent = DeviceFields::read(cx, &mut draft.body);
            let creating = draft.creates();
            if creating && sent.token.is_none() && sent.own_id.is_none() && cx.installation_id.is_none() {
                return Err(ParseError::new(
                    ErrorCode::InvalidInstallation,
                    "at least one ID field (deviceToken, installationId) must be specified in this operation",
                ));
            }
            if !creating && sent.is_harmless() {
                return Ok(ControlFlow::Continue(draft));
            }
            let matches = Matches::find(cx, draft.id.as_deref(), &sent).await?;
            if let Some(id) = &draft.id {
                check_unchanged(matches.by_id(id), &sent)?;
            }
            let known = matches.by_installation(&sent).or_else(|| draft.id.as_deref().and_then(|id| matches.by_id(id)));
            if creating && sent.device_type.is_none() && known.is_none() {
                return Err(ParseError::new(
                    ErrorCode::InvalidInstallation,
                    "deviceType must be specified in this operation",
                ));
            }
            let target = merge::target(cx, known, &matches.by_token(&sent), &sent).await?;
            if let Some(target) = target {
                draft.id = Some(target);
                draft.body.remove("createdAt");
            }
            Ok(ControlFlow::Continue(draft))
        })
    }
}

/// The fields of a write that identify an installation.
#[derive(Debug)]
pub(super) struct DeviceFields {
    /// `deviceToken`.
    pub token: Option<String>,
    /// `installationId` in the body.
    pub own_id: Option<String>,
    /// `installationId` in the body; for clients otherwise that in the header.
    pub id: Option<String>,
    /// `appIdentifier`.
    pub app: Option<String>,
    /// `deviceType`, of any type.
    device_type: Option<Json>,
}

impl DeviceFields {
    /// Reads a body and normalises its ids.
    fn read(cx: &Context, body: &mut Map<String, Json>) -> Self {
        let token = text(body, "deviceToken").map(|token| {
            if token.chars().count() == IOS_TOKEN_LENGTH { token.to_lowercase() } else { token.to_owned() }
        });
        let own_id = text(body, "installationId").map(str::to_lowercase);
        for (field, value) in [("deviceToken", &token), ("installationId", &own_id)] {
            if let Some(value) = value {
                body.insert(field.to_owned(), value.as_str().into());
            }
        }
        let of_header = cx.installation_id.as_deref().filter(|id| !id.is_empty() && !cx.auth.is_master());
        Self {
            id: own_id.clone().or_else(|| of_header.map(str::to_lowercase)),
            own_id,
            token,
            app: text(body, "appIdentifier").map(str::to_owned),
            device_type: body.get("deviceType").filter(|kind| !kind.is_null() && kind.as_str() != Some("")).cloned(),
        }
    }

    /// Whether an update contains none of these fields.
    fn is_harmless(&self) -> bool {
        self.token.is_none() && self.id.is_none() && self.device_type.is_none()
    }
}

fn text<'a>(body: &'a Map<String, Json>, field: &str) -> Option<&'a str> {
    body.get(field).and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// The field's value if it is a non-empty string.
pub(super) fn filled<'a>(row: &'a Object, field: &str) -> Option<&'a str> {
    row.get_str(field).filter(|text| !text.is_empty())
}

/// The rows that a write may refer to.
struct Matches(Vec<Object>);

impl Matches {
    async fn find(cx: &Context, id: Option<&str>, sent: &DeviceFields) -> Result<Self> {
        let clues = [("objectId", id), ("installationId", sent.id.as_deref()), ("deviceToken", sent.token.as_deref())];
        let clues: Vec<Resolved> =
            clues.into_iter().filter_map(|(field, value)| value.map(|value| Filter::eq(field, value))).collect();
        if clues.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let options = FindOptions::default();
        let why = "which installation is meant";
        read::internal_all(cx, names::INSTALLATION, Filter::Or(clues), &options, why).await.map(Self)
    }

    fn by_id(&self, id: &str) -> Option<&Object> {
        self.0.iter().find(|row| row.get_str("objectId") == Some(id))
    }

    fn by_installation(&self, sent: &DeviceFields) -> Option<&Object> {
        let id = sent.id.as_deref()?;
        self.0.iter().rfind(|row| row.get_str("installationId") == Some(id))
    }

    fn by_token(&self, sent: &DeviceFields) -> Vec<&Object> {
        let Some(token) = sent.token.as_deref() else { return Vec::new() };
        self.0.iter().filter(|row| row.get_str("deviceToken") == Some(token)).collect()
    }
}

/// Refuses to change the installation of a row.
fn check_unchanged(row: Option<&Object>, sent: &DeviceFields) -> Result<()> {
    let row = row.ok_or_else(|| ParseError::new(ErrorCode::ObjectNotFound, "Object not found for update."))?;
    let fixed = |field: &str| {
        Err(ParseError::new(
            ErrorCode::UnchangeableInstallation,
            format!("{field} may not be changed in this operation"),
        ))
    };
    let differs = |sent: &Option<String>, known: Option<&str>| match (sent.as_deref(), known) {
        (Some(sent), Some(known)) => sent != known,
        _ => false,
    };
    let known_id = filled(row, "installationId");
    if differs(&sent.own_id, known_id) {
        return fixed("installationId");
    }
    if differs(&sent.token, filled(row, "deviceToken")) && sent.own_id.is_none() && known_id.is_none() {
        return fixed("deviceToken");
    }
    match &sent.device_type {
        Some(kind) if kind.as_str() != row.get_str("deviceType") => fixed("deviceType"),
        _ => Ok(()),
    }
}
