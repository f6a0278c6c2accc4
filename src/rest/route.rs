//! The declaration of a route with all its attributes.
//!
//! The [router](super::router) matches requests with it, [`request`](super::request) checks callers with it, and the
//! [OpenAPI document](super::openapi) is built from it.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use poem::http::Method;
use poem_openapi::registry::{MetaMediaType, MetaRequest, MetaResponse, MetaResponses, MetaSchemaRef, Registry};
use poem_openapi::types::{Binary, Type};

use super::call::Call;
use super::openapi::headers::HeaderParameter;
use super::openapi::parameters::Parameter;
use super::openapi::{Tag, answers};
use crate::domain::kernel::auth::TokenUse;
use crate::error::Result;
use crate::http::gate::operations::Verb;

/// The result of a handler.
pub type Outcome = Result<poem::Response>;

/// The handler of a route.
type Handler = Box<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anyone, without an application id; keys and tokens are ignored.
    Public,
    /// Anyone, without an application id. A master key in a header is checked; a caller who would be refused elsewhere
    /// is anonymous here. If the path has an `{appId}`, it names the application.
    OptionalKey,
    /// Callers who send the application id (and a client key, if any is configured).
    Application,
    /// As [`Access::Application`]; the document says that a session is needed, and the domain refuses callers without
    /// one.
    Session,
    /// Callers with the master key, the read-only master key or the maintenance key. Others get 403 before the
    /// handler runs.
    Master,
    /// As [`Access::Master`], but the handler refuses other callers with an error of its own.
    MasterByHandler,
}

impl Access {
    /// Whether the route needs no application id.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::OptionalKey)
    }
}

/// The kind of body that a route accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// None. JSON is accepted, because SDKs send their keys in it, but the handler does not read it.
    None,
    /// A JSON object, read and parsed before the handler runs.
    Json,
    /// A JSON object, or a form with files from callers whose headers name the application.
    Form,
    /// Any bytes. The handler gets the request with its unread body (use [`crate::http::body::read`] to read it within
    /// limits) and may take over the connection. The body of a JSON client that sends its application id there is parsed as
    /// for [`BodyKind::Json`].
    Stream,
}

/// The methods a route answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Methods {
    /// One method. `GET` includes `HEAD`.
    One(Method),
    /// All methods. The document shows `GET`.
    Any,
}

/// A route.
pub struct Route {
    /// The methods that it answers.
    pub methods: Methods,
    /// Its path below the mount path: fixed segments, `{name}` for one segment, `{*name}` for the rest of the path.
    pub path: Cow<'static, str>,
    /// Operation id in the document, which generated clients use as a name.
    pub operation: &'static str,
    /// What it does with objects, and the class that it is for alone; `None` for other routes.
    pub object: Option<(Verb, Option<&'static str>)>,
    /// Who may call.
    pub access: Access,
    /// Kind of body.
    pub body: BodyKind,
    /// How a session token is treated.
    pub token: TokenUse,
    /// Whether a request id is remembered, so that a repeated request is refused.
    pub idempotent: bool,
    /// Whether `routeAllowList` applies: not to files and pages, whose addresses are in data and mails.
    pub listed: bool,
    /// Error message for callers with the read-only master key, if they may not call the route.
    pub refuses_read_only: Option<&'static str>,
    /// Its description in the document; `None` leaves the route out.
    pub about: Option<About>,
    /// The handler.
    pub handler: Handler,
}

/// The attributes of a route that only the document uses.
pub struct About {
    /// Area of the API.
    pub tag: Tag,
    /// One sentence.
    pub summary: &'static str,
    /// More sentences.
    pub description: Option<&'static str>,
    /// Parameters of the query.
    pub query: &'static [&'static [Parameter]],
    /// Headers that it uses, besides those that identify the caller.
    pub headers: Vec<HeaderParameter>,
    /// Schema of the body.
    pub request: Option<Form>,
    /// Schema of the response, and statuses of success.
    pub response: Response,
}

/// The schema of a body in the document.
#[derive(Clone, Copy)]
pub struct Form {
    /// Its media type.
    pub content_type: &'static str,
    /// Registers its types in the document.
    pub register: fn(&mut Registry),
    /// A reference to it.
    pub schema: fn() -> MetaSchemaRef,
}

impl Form {
    /// The schema of a type.
    #[must_use]
    pub fn of<T: Type>() -> Self {
        Self { content_type: "application/json", register: T::register, schema: T::schema_ref }
    }

    /// Any bytes.
    #[must_use]
    pub fn bytes() -> Self {
        Self { content_type: "application/octet-stream", ..Self::of::<Binary<Vec<u8>>>() }
    }

    /// The body as poem-openapi describes it.
    #[must_use]
    pub fn request(self) -> MetaRequest {
        let content = vec![MetaMediaType { content_type: self.content_type, schema: (self.schema)() }];
        MetaRequest { description: None, content, required: true }
    }
}

/// The responses of a route.
#[derive(Clone, Copy)]
pub enum Response {
    /// 200 with this schema, and errors.
    Ok(Form),
    /// 200, or 201 with a `Location` if an object was created, with this schema; and errors.
    Created(Form),
    /// Responses that the route describes itself.
    Own(fn(&mut Registry), fn() -> Vec<MetaResponse>),
}

impl Response {
    /// The responses as poem-openapi describes them.
    #[must_use]
    pub fn responses(self) -> MetaResponses {
        let responses = match self {
            Self::Ok(form) => answers::with_refusals(vec![answers::ok((form.schema)())]),
            Self::Created(form) => {
                answers::with_refusals(vec![answers::ok((form.schema)()), answers::created((form.schema)())])
            }
            Self::Own(_, responses) => responses(),
        };
        MetaResponses { responses }
    }

    /// Registers its types in the document.
    pub fn register(self, registry: &mut Registry) {
        match self {
            Self::Ok(form) | Self::Created(form) => (form.register)(registry),
            Self::Own(register, _) => register(registry),
        }
    }
}

impl Route {
    /// A route with these defaults: callers with the application id, no body, the session token is checked, no
    /// idempotency, not in the document.
    pub fn hidden<F, Fut>(
        method: Method,
        path: impl Into<Cow<'static, str>>,
        operation: &'static str,
        handler: F,
    ) -> Self
    where
        F: Fn(Call) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Outcome> + Send + 'static,
    {
        Self {
            methods: Methods::One(method),
            path: path.into(),
            operation,
            object: None,
            access: Access::Application,
            body: BodyKind::None,
            token: TokenUse::Check,
            idempotent: false,
            listed: true,
            refuses_read_only: None,
            about: None,
            handler: Box::new(move |call| Box::pin(handler(call))),
        }
    }

    /// Says what it does with objects of a class (`None`: of the class that the path names).
    #[must_use]
    pub fn object(self, verb: Verb, class: Option<&'static str>) -> Self {
        Self { object: Some((verb, class)), ..self }
    }

    /// Sets who may call.
    #[must_use]
    pub fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Sets how a session token is treated.
    #[must_use]
    pub fn token(self, token: TokenUse) -> Self {
        Self { token, ..self }
    }

    /// `routeAllowList` does not apply.
    #[must_use]
    pub fn unlisted(self) -> Self {
        Self { listed: false, ..self }
    }

    /// Request ids are remembered, so that repeated requests are refused.
    #[must_use]
    pub fn idempotent(self) -> Self {
        Self { idempotent: true, ..self }.header(HeaderParameter::RequestId)
    }

    /// Refuses callers with the read-only master key with this message (119).
    #[must_use]
    pub fn refuses_read_only(self, message: &'static str) -> Self {
        Self { refuses_read_only: Some(message), ..self }
    }

    /// Says that the body may also be a form with files.
    #[must_use]
    pub fn or_form(self) -> Self {
        Self { body: BodyKind::Form, ..self }
    }

    /// The body is a stream.
    #[must_use]
    pub fn stream(self) -> Self {
        Self { body: BodyKind::Stream, ..self }
    }

    /// The route answers all methods.
    #[must_use]
    pub fn any_method(self) -> Self {
        Self { methods: Methods::Any, ..self }
    }

    /// Adds the route to the document. The response has the schema of `T`.
    #[must_use]
    pub fn documented<T: Type>(self, tag: Tag, summary: &'static str) -> Self {
        let about = About {
            tag,
            summary,
            description: None,
            query: &[],
            headers: Vec::new(),
            request: None,
            response: Response::Ok(Form::of::<T>()),
        };
        Self { about: Some(about), ..self }
    }

    fn amend(mut self, change: impl FnOnce(&mut About)) -> Self {
        if let Some(about) = &mut self.about {
            change(about);
        }
        self
    }

    /// Adds a description to the document.
    #[must_use]
    pub fn description(self, text: &'static str) -> Self {
        self.amend(|about| about.description = Some(text))
    }

    /// The body is a JSON object with the schema of `T`. Only the document uses the schema; the domain validates the
    /// body.
    #[must_use]
    pub fn json<T: Type>(self) -> Self {
        Self { body: BodyKind::Json, ..self }.amend(|about| about.request = Some(Form::of::<T>()))
    }

    /// The body is any bytes.
    #[must_use]
    pub fn bytes(self) -> Self {
        self.stream().amend(|about| about.request = Some(Form::bytes()))
    }

    /// The route may create an object: 201 with its URL.
    #[must_use]
    pub fn creates(self) -> Self {
        self.amend(|about| {
            if let Response::Ok(form) = about.response {
                about.response = Response::Created(form);
            }
        })
    }

    /// Sets the responses.
    #[must_use]
    pub fn responses(self, register: fn(&mut Registry), responses: fn() -> Vec<MetaResponse>) -> Self {
        self.amend(|about| about.response = Response::Own(register, responses))
    }

    /// Adds query parameters.
    #[must_use]
    pub fn query(self, parameters: &'static [&'static [Parameter]]) -> Self {
        self.amend(|about| about.query = parameters)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, header: HeaderParameter) -> Self {
        self.amend(|about| about.headers.push(header))
    }

    /// The method that the document shows.
    #[must_use]
    pub fn method(&self) -> Method {
        match &self.methods {
            Methods::One(method) => method.clone(),
            Methods::Any => Method::GET,
        }
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {} ({})", self.methods, self.path, self.operation)
    }
}
