//! Requests that the app's code makes from inside the server: the same routes without HTTP. What is there for clients does not
//! concern them: keys, limits, the list of allowed routes, request ids.

use std::sync::Arc;

use bytes::Bytes;
use poem::http::{HeaderMap, Method, header};
use poem::{Body, Request, Response};

use super::call::{Call, JsonMap, Payload};
use super::request::Rest;
use super::route::{BodyKind, Outcome};
use crate::domain::features::sessions::open_context;
use crate::domain::kernel::auth::{Auth, Credentials};
use crate::domain::kernel::context::Client;
use crate::error::ParseError;
use crate::http::credentials::invalid_context;
use crate::http::{detach, mount};
use crate::traces::{self, Kind};

/// A request from inside.
#[derive(Debug)]
pub struct InsideRequest {
    /// `GET`, `POST`, `PUT` or `DELETE`.
    pub method: Method,
    /// Path below the mount path, maybe with a query.
    pub path: String,
    /// Whose rights it has.
    pub auth: Auth,
    /// The session whose rights it has, where `auth` has none.
    pub session_token: Option<String>,
    /// The installation that it is made for.
    pub installation_id: Option<String>,
    /// Where it comes from.
    pub client: Client,
    /// Headers, for routes that look at them. Where they name a content type, the body is bytes of that type, else JSON.
    pub headers: HeaderMap,
    /// The body; of a `GET` a JSON object with the parameters.
    pub body: Bytes,
}

impl Rest {
    /// Answers a request from inside.
    pub async fn answer_inside(self: &Arc<Self>, request: InsideRequest) -> Response {
        let writes = request.method != Method::GET;
        let rest = self.clone();
        let outcome = detach::run(&self.app.tasks, writes, async move { rest.admit_inside(request).await }).await;
        outcome.unwrap_or_else(|error| self.refuse(&error))
    }

    async fn admit_inside(self: &Arc<Self>, request: InsideRequest) -> Outcome {
        let InsideRequest { method, path, auth, session_token, installation_id, mut client, headers, body } = request;
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        let found = self.router.look_up(mount::trim(&format!("/{path}"))).found(&method);
        let found = found.ok_or_else(ParseError::unknown_route)?;
        let mut content_type = None;
        let body = if found.route().body == BodyKind::Stream && headers.contains_key(header::CONTENT_TYPE) {
            let mut request = Request::builder().method(method.clone()).finish();
            *request.headers_mut() = headers;
            request.set_body(Body::from(body));
            Payload::Stream(Box::new(request))
        } else {
            let mut body = self.gate.parsing.object(body.to_vec()).await?;
            content_type = take_text(&mut body, "_ContentType");
            take_context(&mut body, &mut client)?;
            Payload::Json(body)
        };
        let credentials = Credentials {
            master_key_in_header: auth.is_master(),
            session_token,
            installation_id,
            ..Credentials::default()
        };
        client.inside = true;
        let cx = open_context(&self.app, auth, credentials, found.route().token, client).await?;
        let query = query.to_owned();
        let mut span = traces::child(Kind::Internal, || format!("{method} {}", found.pattern()).into());
        let call = Call { cx, found, query, body, files: Vec::new(), content_type, direct: true, rest: self.clone() };
        let outcome = span.scope(self.carry_out(call)).await;
        if let Err(error) = &outcome {
            span.fail(error.status.to_string());
        }
        outcome
    }
}

fn take_text(body: &mut JsonMap, key: &str) -> Option<String> {
    body.shift_remove(key)?.as_str().map(str::to_owned)
}

/// The context that the SDK puts into the body.
fn take_context(body: &mut JsonMap, client: &mut Client) -> crate::error::Result<()> {
    match body.shift_remove("_context") {
        None => Ok(()),
        Some(serde_json::Value::Object(context)) => {
            client.cloud_context = Some(context);
            Ok(())
        }
        Some(_) => Err(invalid_context()),
    }
}
