//! The statement of a route: everything the server knows about it, said once.
//!
//! The [router](super::router) matches by it, [requests](super::request) are admitted by it, and the
//! [document](super::openapi) is made from it.

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

/// What a handler gives.
pub type Outcome = Result<poem::Response>;

/// A handler of any route.
type Handler = Box<dyn Fn(Call) -> Pin<Box<dyn Future<Output = Outcome> + Send>> + Send + Sync>;

/// Who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, without an application id; keys and tokens are not looked at.
    Public,
    /// Anybody, without an application id; a master key in a header counts, and whoever would be refused elsewhere is
    /// anonymous here. Where the path has an `{appId}` it names the application.
    OptionalKey,
    /// Callers who name the application (and send a client key, where those are configured).
    Application,
    /// As [`Access::Application`]; the document says that a session is needed, and the domain refuses without.
    Session,
    /// Callers with a master key, the read-only one, or the maintenance key. Others get 403 before the handler runs.
    Master,
    /// As [`Access::Master`], but the handler refuses others in words of its own.
    MasterByHandler,
}

impl Access {
    /// Whether no application id is needed.
    #[must_use]
    pub const fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::OptionalKey)
    }
}

/// What a request to a route has for a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyKind {
    /// Nothing the handler reads. JSON is allowed, because SDKs send their keys in it.
    None,
    /// A JSON object, read and parsed before the handler runs.
    Json,
    /// A JSON object, or a form with files from callers whose headers name the application.
    Form,
    /// Bytes of any kind: the handler gets the request itself with its headers, its body unread (reading it is bounded by
    /// [`crate::http::body::read`]), and may take over the connection. A JSON client that names its application in the
    /// body is read as [`BodyKind::Json`].
    Stream,
}

/// The methods a route answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Methods {
    /// One. `GET` includes `HEAD`.
    One(Method),
    /// Whatever there is. The document shows `GET`.
    Any,
}

/// A route.
pub struct Route {
    /// Methods it answers.
    pub methods: Methods,
    /// Its path below the mount path: fixed segments, `{name}` for one segment, `{*name}` for all that follow.
    pub path: Cow<'static, str>,
    /// Its name: operation id of the document, and the name generated clients give it.
    pub operation: &'static str,
    /// What it does with objects, and the class that it is for alone; `None` for other routes.
    pub object: Option<(Verb, Option<&'static str>)>,
    /// Who may call.
    pub access: Access,
    /// What the body is.
    pub body: BodyKind,
    /// What is done with a session token.
    pub token: TokenUse,
    /// Whether a request id is remembered, so that the same request is not carried out twice.
    pub idempotent: bool,
    /// What the read-only master key is told, if it may not call.
    pub refuses_read_only: Option<&'static str>,
    /// What the document says; `None` leaves the route out of it.
    pub about: Option<About>,
    /// Carries it out.
    pub handler: Handler,
}

/// What the document says of a route beyond what the server goes by.
pub struct About {
    /// Area of the API.
    pub tag: Tag,
    /// One sentence.
    pub summary: &'static str,
    /// More sentences.
    pub description: Option<&'static str>,
    /// Parameters of the query.
    pub query: &'static [&'static [Parameter]],
    /// Headers it looks at, besides those that name the caller.
    pub headers: Vec<HeaderParameter>,
    /// Form of the body.
    pub request: Option<Form>,
    /// Form of the answer, and statuses of success.
    pub response: Response,
}

/// The form of a body: how the document names it.
#[derive(Clone, Copy)]
pub struct Form {
    /// Its media type.
    pub content_type: &'static str,
    /// Brings its types into the document.
    pub register: fn(&mut Registry),
    /// Refers to it.
    pub schema: fn() -> MetaSchemaRef,
}

impl Form {
    /// The form of a type.
    #[must_use]
    pub fn of<T: Type>() -> Self {
        Self { content_type: "application/json", register: T::register, schema: T::schema_ref }
    }

    /// Bytes of any kind.
    #[must_use]
    pub fn bytes() -> Self {
        Self { content_type: "application/octet-stream", ..Self::of::<Binary<Vec<u8>>>() }
    }

    /// As the body of requests.
    #[must_use]
    pub fn request(self) -> MetaRequest {
        let content = vec![MetaMediaType { content_type: self.content_type, schema: (self.schema)() }];
        MetaRequest { description: None, content, required: true }
    }
}

/// Answers of a route.
#[derive(Clone, Copy)]
pub enum Response {
    /// 200 with this form, and refusals.
    Ok(Form),
    /// 200 or, when an object was created, 201 with this form and a `Location`; and refusals.
    Created(Form),
    /// All of them, in the route's own words.
    Own(fn(&mut Registry), fn() -> Vec<MetaResponse>),
}

impl Response {
    /// As the document lists them.
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

    /// Brings its types into the document.
    pub fn register(self, registry: &mut Registry) {
        match self {
            Self::Ok(form) | Self::Created(form) => (form.register)(registry),
            Self::Own(register, _) => register(registry),
        }
    }
}

impl Route {
    /// A route that the document does not show: callers who name the application, no body, a session token that is
    /// checked, no idempotency.
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

    /// Says who may call.
    #[must_use]
    pub fn access(self, access: Access) -> Self {
        Self { access, ..self }
    }

    /// Says what is done with a session token.
    #[must_use]
    pub fn token(self, token: TokenUse) -> Self {
        Self { token, ..self }
    }

    /// Says that a request id counts.
    #[must_use]
    pub fn idempotent(self) -> Self {
        Self { idempotent: true, ..self }.header(HeaderParameter::RequestId)
    }

    /// Says that the read-only master key may not call, and what it is told (119).
    #[must_use]
    pub fn refuses_read_only(self, message: &'static str) -> Self {
        Self { refuses_read_only: Some(message), ..self }
    }

    /// Says that the body may also be a form with files.
    #[must_use]
    pub fn or_form(self) -> Self {
        Self { body: BodyKind::Form, ..self }
    }

    /// Says that the body is a stream.
    #[must_use]
    pub fn stream(self) -> Self {
        Self { body: BodyKind::Stream, ..self }
    }

    /// Says that every method is answered.
    #[must_use]
    pub fn any_method(self) -> Self {
        Self { methods: Methods::Any, ..self }
    }

    /// Shows the route in the document. The answer has the form of `T`.
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

    /// Adds sentences to the document.
    #[must_use]
    pub fn description(self, text: &'static str) -> Self {
        self.amend(|about| about.description = Some(text))
    }

    /// The body is a JSON object of the form of `T`. The form is for the document: what is in a body is for the domain to
    /// judge.
    #[must_use]
    pub fn json<T: Type>(self) -> Self {
        Self { body: BodyKind::Json, ..self }.amend(|about| about.request = Some(Form::of::<T>()))
    }

    /// The body is bytes of any kind.
    #[must_use]
    pub fn bytes(self) -> Self {
        self.stream().amend(|about| about.request = Some(Form::bytes()))
    }

    /// An object may be created: 201 with its address.
    #[must_use]
    pub fn creates(self) -> Self {
        self.amend(|about| {
            if let Response::Ok(form) = about.response {
                about.response = Response::Created(form);
            }
        })
    }

    /// The answers, in the route's own words.
    #[must_use]
    pub fn responses(self, register: fn(&mut Registry), responses: fn() -> Vec<MetaResponse>) -> Self {
        self.amend(|about| about.response = Response::Own(register, responses))
    }

    /// What the query may hold.
    #[must_use]
    pub fn query(self, parameters: &'static [&'static [Parameter]]) -> Self {
        self.amend(|about| about.query = parameters)
    }

    /// A header it looks at.
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
