//! The app's JavaScript as a handler of functions, jobs and triggers.

use std::fmt;
use std::sync::{Arc, Weak};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json, json};

use super::connection::Call as Sent;
use super::error::CloudError;
use super::host::Origin;
use super::registrations::Registrations;
use super::{Cloud, SCRIPT_FAILED};
use crate::adapters::cloud::handler::{Answer, Call, FormFile, Given, Handler, Target, TriggerFile};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::ClassName;
use crate::model::trigger::Trigger;

/// The longest file whose bytes triggers get: what fits into a message of the channel beside the rest.
const MOST_FILE_BYTES: u64 = 60 << 20;

/// What calls which code.
pub type Handlers = Vec<(Target, Arc<dyn Handler>)>;

/// Everything that is registered, each with the one handler of the cloud code. Triggers that the server does not have are left out.
pub(super) fn handlers(cloud: &Weak<Cloud>, registrations: &Registrations) -> Handlers {
    let code: Arc<dyn Handler> = Arc::new(JavaScript { cloud: cloud.clone() });
    let functions = registrations.functions.keys().map(|name| Target::Function(name.clone()));
    let jobs = registrations.jobs.iter().map(|name| Target::Job(name.clone()));
    let triggers = registrations.triggers.iter().filter_map(|(name, classes)| Some((Trigger::named(name)?, classes)));
    let triggers = triggers.flat_map(|(trigger, classes)| {
        classes.keys().map(move |class| Target::Trigger(trigger, ClassName::unchecked(class.as_str())))
    });
    let events = registrations.live_query_events.then_some(Target::LiveQueryEvents);
    functions.chain(jobs).chain(triggers).chain(events).map(|target| (target, code.clone())).collect()
}

struct JavaScript {
    cloud: Weak<Cloud>,
}

impl fmt::Debug for JavaScript {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JavaScript")
    }
}

/// An answer as it comes over the socket.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct HandlerAnswer {
    /// `null` is a result, too.
    #[serde(deserialize_with = "present")]
    result: Option<Json>,
    status: Option<u16>,
    headers: Map<String, Json>,
    response: Option<Map<String, Json>>,
    changed: Option<Map<String, Json>>,
    reverted: Vec<String>,
    object_id: Option<Json>,
    object: Option<Map<String, Json>>,
    original: Option<Map<String, Json>>,
    query: Option<Map<String, Json>>,
    read_preference: Option<Json>,
    include_read_preference: Option<Json>,
    subquery_read_preference: Option<Json>,
    objects: Option<Vec<Given>>,
    event: Option<String>,
    send_event: Option<bool>,
    file: Option<TriggerFile>,
    has_data: bool,
    force_download: Option<bool>,
    response_headers: Option<Map<String, Json>>,
    message: Option<String>,
    context: Option<Map<String, Json>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

impl HandlerAnswer {
    /// What beforeSave lets be written: what was sent, with what the code did to it; `None`: it did nothing.
    fn written(&mut self, mut sent: Map<String, Json>) -> Option<Map<String, Json>> {
        let changed = self.changed.take();
        if changed.is_none() && self.reverted.is_empty() && self.object_id.is_none() {
            return None;
        }
        let mut replaced: Vec<&str> = self.reverted.iter().map(String::as_str).collect();
        replaced.extend(changed.iter().flat_map(Map::keys).map(String::as_str));
        // A part of a field (`a.b`) goes with the field.
        sent.retain(|key, _| !replaced.contains(&key.split('.').next().unwrap_or(key)));
        sent.extend(changed.into_iter().flatten());
        sent.extend(self.object_id.take().map(|id| ("objectId".to_owned(), id)));
        Some(sent)
    }

    /// The query with which beforeFind replaces that of the client.
    fn query(&mut self) -> Option<Map<String, Json>> {
        let preferences = [
            ("readPreference", self.read_preference.take()),
            ("includeReadPreference", self.include_read_preference.take()),
            ("subqueryReadPreference", self.subquery_read_preference.take()),
        ];
        for (name, preference) in preferences {
            if let Some(preference) = preference {
                self.query.get_or_insert_default().insert(name.to_owned(), preference);
            }
        }
        self.query.take()
    }

    /// `attachment`: the bytes beside the answer, which are those of its file if it says so.
    fn answer(mut self, sent: Option<Map<String, Json>>, attachment: Bytes) -> Answer {
        let object = match sent {
            Some(sent) => self.written(sent),
            None => self.response.take().or_else(|| self.object.take()),
        };
        if let Some(file) = self.file.as_mut().filter(|_| self.has_data) {
            file.data = Some(attachment);
        }
        let headers = std::mem::take(&mut self.headers);
        let header = |(name, value): (String, Json)| Some((name, value.as_str()?.to_owned()));
        Answer {
            query: self.query(),
            result: self.result.or_else(|| self.message.map(Json::String)),
            status: self.status,
            headers: headers.into_iter().filter_map(header).collect(),
            object,
            reverted: self.reverted,
            original: self.original,
            changed: self.changed,
            objects: self.objects,
            event: self.event,
            send_event: self.send_event,
            file: self.file,
            force_download: self.force_download,
            response_headers: self.response_headers,
            context: self.context,
        }
    }
}

impl Handler for JavaScript {
    fn tells_changes(&self) -> bool {
        true
    }

    fn most_file_bytes(&self) -> Option<u64> {
        Some(MOST_FILE_BYTES)
    }

    fn call(&self, mut call: Call) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async move {
            let payload = &mut call.payload;
            // The process has these by itself.
            for known in ["log", "triggerName", "functionName"] {
                payload.swap_remove(known);
            }
            if let Target::Trigger(_, class) = &call.target {
                payload.insert("className".to_owned(), class.as_str().into());
            }
            let attachment = match call.file.take() {
                Some(file) => attach_file(payload, file),
                None => attach(payload, &call.files).into(),
            };
            let (kind, name) = match &call.target {
                Target::Function(name) => ("function", name.as_str()),
                Target::Job(name) => ("job", name.as_str()),
                Target::Trigger(trigger, _) => ("trigger", trigger.name()),
                Target::LiveQueryEvents => ("liveQueryEvent", ""),
            };
            let cloud = self.cloud.upgrade().ok_or_else(|| CloudError::Unavailable("the server stops".to_owned()))?;
            let request = call.request.as_deref().unwrap_or_default().to_owned();
            let origin = Origin { request, depth: call.depth.saturating_sub(1) };
            let payload = &call.body();
            let sent = Sent { kind, name, origin: &origin, payload, attachment: &attachment, deadline: None };
            let answer = cloud.call(&sent).await?;
            let given: HandlerAnswer = answer.read()?;
            let sent = match (&call.target, call.payload.swap_remove("changes")) {
                (Target::Trigger(Trigger::BeforeSave, _), Some(Json::Object(sent))) => Some(sent),
                _ => None,
            };
            Ok(given.answer(sent, answer.attachment))
        })
    }
}

/// Puts the file of a trigger into the payload, and gives its bytes, which go beside it.
fn attach_file(payload: &mut Map<String, Json>, file: TriggerFile) -> Bytes {
    let TriggerFile { name, url, content_type, metadata, tags, directory, data } = file;
    let mut told = Map::from_iter([
        ("name".to_owned(), name.into()),
        ("metadata".to_owned(), metadata.into()),
        ("tags".to_owned(), tags.into()),
    ]);
    let texts = [("url", url), ("contentType", content_type), ("directory", directory)];
    told.extend(texts.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into()))));
    payload.insert("file".to_owned(), told.into());
    payload.insert("hasData".to_owned(), data.is_some().into());
    data.unwrap_or_default()
}

/// Puts the files of a form beside the payload, which tells where each is.
fn attach(payload: &mut Map<String, Json>, files: &[FormFile]) -> Vec<u8> {
    let mut attachment = Vec::new();
    if files.is_empty() {
        return attachment;
    }
    let mut places = Vec::with_capacity(files.len());
    for FormFile { name, filename, content_type, data } in files {
        let (start, length) = (attachment.len(), data.len());
        attachment.extend_from_slice(data);
        places.push(json!({
            "name": name, "filename": filename, "contentType": content_type, "start": start, "length": length,
        }));
    }
    payload.insert("files".to_owned(), places.into());
    attachment
}

impl From<CloudError> for ParseError {
    fn from(error: CloudError) -> Self {
        let message = error.message().to_owned();
        match error {
            CloudError::Thrown(thrown) => {
                if let Some(stack) = thrown.stack.filter(|_| thrown.code == SCRIPT_FAILED) {
                    tracing::debug!(stack, "cloud code threw");
                }
                Self::thrown(thrown.code, message)
            }
            CloudError::Unavailable(_) | CloudError::Overloaded => {
                let refusal = Self { status: 503, retry_after: Some(1), ..Self::new(ErrorCode::ScriptFailed, message) };
                refusal.with_source(error)
            }
            CloudError::TimedOut | CloudError::Interrupted | CloudError::Protocol(_) => {
                tracing::error!("{error}");
                Self::new(ErrorCode::ScriptFailed, message)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(json: Json) -> Map<String, Json> {
        let Json::Object(map) = json else { panic!("{json} is no object") };
        map
    }

    fn written(told: Json, sent: Json) -> Option<Json> {
        let given: HandlerAnswer = serde_json::from_value(told).unwrap();
        given.answer(Some(map(sent)), Bytes::new()).object.map(Json::Object)
    }

    #[test]
    fn what_before_save_did_is_put_on_what_was_sent() {
        let sent = json!({"a": 1, "b": {"__op": "Increment", "amount": 1}, "c.d": 2});
        assert_eq!(written(json!({}), sent.clone()), None);
        assert_eq!(
            written(json!({"changed": {"a": 2, "c": {"d": 3}}, "reverted": ["b"], "objectId": "x"}), sent),
            Some(json!({"a": 2, "c": {"d": 3}, "objectId": "x"}))
        );
    }

    #[test]
    fn a_result_of_null_is_a_result() {
        let answer = |told: Json| serde_json::from_value::<HandlerAnswer>(told).unwrap().answer(None, Bytes::new());
        assert_eq!(answer(json!({"result": null})).result, Some(Json::Null));
        assert_eq!(answer(json!({})).result, None);
        let told = answer(json!({"result": 1, "status": 202, "headers": {"X-Own": "yes"}}));
        assert_eq!((told.status, told.headers), (Some(202), vec![("X-Own".to_owned(), "yes".to_owned())]));
    }

    #[test]
    fn codes_that_parse_does_not_have_reach_the_client() {
        use crate::adapters::cloud::node::Thrown;
        let thrown = |code| CloudError::Thrown(Thrown { code, message: "no".to_owned(), stack: None });
        for (code, status) in [(101, 404), (1, 500), (141, 400), (777, 400), (-5, 400), (9_999_999_999, 400)] {
            let error = ParseError::from(thrown(code));
            assert_eq!((error.number(), error.status), (Some(code), status), "{error}");
        }
    }
}
