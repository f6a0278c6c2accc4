//! The context of a request, which every domain function receives: caller, origin, transaction.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arc_swap::ArcSwap;
use serde_json::{Map, Value as Json};
use tokio::sync::OnceCell;

use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::budget::Budget;
use crate::domain::kernel::classes::{Class, Schemas};
use crate::domain::kernel::clp::Operation;
use crate::domain::kernel::deferred::Deferred;
use crate::domain::kernel::rehearsal::Rehearsal;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::acl;
use crate::model::date::Date;
use crate::model::files::addresses::FileAddresses;
use crate::model::names::ClassName;
use crate::storage::Transaction;

/// Seconds after which a client may try again what a server does not accept for now.
pub const AGAIN: u32 = 30;

/// The entities of anonymous callers.
static PUBLIC: LazyLock<Arc<[String]>> = LazyLock::new(|| Arc::from([acl::PUBLIC.to_owned()]));

/// The origin of a request.
#[derive(Debug, Clone)]
pub struct Client {
    /// The caller's address.
    pub ip: IpAddr,
    /// Base of `Location` headers and file URLs in the response: `publicServerURL`, or scheme, host and mount path.
    pub base_url: String,
    /// `X-Parse-Cloud-Context`, which is passed to triggers.
    pub cloud_context: Option<Map<String, Json>>,
    /// The headers of the request for cloud code, with names in lower case; `None` without cloud code, and for requests
    /// by cloud code itself.
    pub headers: Option<Arc<Map<String, Json>>>,
    /// Depth of nested calls of cloud code around the request.
    pub depth: u32,
    /// Whether the app's code makes the request from inside the server: limits for clients do not concern it.
    pub inside: bool,
    /// The user of the dashboard, one of whose pages makes the request.
    pub dashboard: Option<String>,
    /// The id of the client's request by which the log knows it; `None` outside of one.
    pub log_id: Option<Arc<str>>,
    /// `X-Parse-Request-Id`.
    pub request_id: Option<String>,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            base_url: String::new(),
            cloud_context: None,
            headers: None,
            depth: 0,
            inside: false,
            dashboard: None,
            log_id: None,
            request_id: None,
        }
    }
}

/// The context of a request. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The application.
    pub app: Arc<App>,
    /// The caller.
    pub auth: Auth,
    /// Who made the request, also while the server does something for it in its own name.
    pub caller: Auth,
    /// The session token in the request, even if a master key makes it unnecessary.
    pub session_token: Option<String>,
    /// The installation id in the request.
    pub installation_id: Option<String>,
    /// Whether the master key was in a header.
    pub master_key_in_header: bool,
    /// Where the request comes from.
    pub client: Client,
    /// Whether the server accepted writes when the request began (option `accepts`).
    writes: bool,
    /// The transaction of all storage operations, if any.
    pub transaction: Option<Transaction>,
    /// The schema snapshot of this request, shared by all its parts.
    schemas: Arc<ArcSwap<Schemas>>,
    /// The context for triggers, shared by all parts of the request; triggers see the changes of earlier ones.
    carried: Arc<Mutex<Map<String, Json>>>,
    deferred: Option<Deferred>,
    rehearsal: Option<Rehearsal>,
    /// The budget of the request, shared by its parts.
    pub budget: Arc<Budget>,
    entities: Arc<OnceCell<Arc<[String]>>>,
}

impl fmt::Debug for Context {
    /// Omits the session token.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Context").field("auth", &self.auth).finish_non_exhaustive()
    }
}

impl Context {
    /// A context for a caller.
    #[must_use]
    pub fn new(
        app: Arc<App>,
        auth: Auth,
        session_token: Option<String>,
        installation_id: Option<String>,
        master_key_in_header: bool,
        mut client: Client,
    ) -> Self {
        let schemas = Arc::new(ArcSwap::new(app.schemas.snapshot()));
        let carried = Arc::new(Mutex::new(client.cloud_context.take().unwrap_or_default()));
        let budget = Arc::new(Budget::new(&app.options.own.limits));
        let writes = app.options.own.accepts.writes();
        Self {
            schemas,
            app,
            caller: auth.clone(),
            auth,
            session_token,
            installation_id,
            master_key_in_header,
            client,
            writes,
            transaction: None,
            carried,
            deferred: None,
            rehearsal: None,
            budget,
            entities: Arc::default(),
        }
    }

    /// A context for what the server does in its own name, which includes what it has begun before it stopped accepting writes.
    #[must_use]
    pub fn of_server(app: &Arc<App>) -> Self {
        Self { writes: true, ..Self::new(app.clone(), Auth::Master, None, None, false, Client::default()) }
    }

    /// The same request with another caller, for operations by the server itself.
    #[must_use]
    pub fn with_auth(&self, auth: Auth) -> Self {
        Self { auth, entities: Arc::default(), ..self.clone() }
    }

    /// The same request with the permissions of the master key.
    #[must_use]
    pub fn as_master(&self) -> Self {
        self.with_auth(Auth::Master)
    }

    /// The same request inside a transaction.
    #[must_use]
    pub fn in_transaction(&self, transaction: Transaction) -> Self {
        Self { transaction: Some(transaction), deferred: Some(Deferred::default()), ..self.clone() }
    }

    /// The same request outside its transaction, for writes that must persist even if the transaction is rolled back.
    #[must_use]
    pub fn outside_transaction(&self) -> Self {
        Self { transaction: None, deferred: None, rehearsal: None, ..self.clone() }
    }

    /// The same request while the before triggers of a transaction run, or with their results.
    #[must_use]
    pub fn with_rehearsal(&self, rehearsal: Rehearsal) -> Self {
        Self { rehearsal: Some(rehearsal), ..self.clone() }
    }

    /// The results of before triggers that ran before the transaction began.
    #[must_use]
    pub fn rehearsal(&self) -> Option<&Rehearsal> {
        self.rehearsal.as_ref()
    }

    /// Whether the request is only asked for: triggers are called, and nothing may be written.
    #[must_use]
    pub fn is_rehearsed(&self) -> bool {
        self.rehearsal.as_ref().is_some_and(Rehearsal::is_on)
    }

    /// Asks a service outside of the server. For a part of a transaction that is done before it begins, and once for each question.
    ///
    /// # Errors
    /// That of the answer.
    pub async fn ask_once<T, Answer>(&self, question: impl FnOnce() -> String, ask: Answer) -> Result<T>
    where
        T: Clone + Send + 'static,
        Answer: Future<Output = Result<T>>,
    {
        match &self.rehearsal {
            Some(rehearsal) => rehearsal.ask_once(question(), ask).await,
            None => ask.await,
        }
    }

    /// Work after the commit of the transaction; `None` outside of transactions.
    #[must_use]
    pub fn deferred(&self) -> Option<&Deferred> {
        self.deferred.as_ref()
    }

    /// The context object that is passed from trigger to trigger.
    #[must_use]
    pub fn cloud_context(&self) -> Map<String, Json> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the context object.
    pub fn set_cloud_context(&self, context: Map<String, Json>) {
        *self.carried.lock().unwrap_or_else(PoisonError::into_inner) = context;
    }

    /// The same request with a context object of its own for triggers, which is empty.
    #[must_use]
    pub fn with_empty_cloud_context(&self) -> Self {
        Self { carried: Arc::default(), ..self.clone() }
    }

    /// A separate request of the same caller, such as a part of a batch, with the current schema snapshot.
    #[must_use]
    pub fn part(&self) -> Self {
        Self { schemas: Arc::new(ArcSwap::new(self.app.schemas.snapshot())), ..self.clone() }
    }

    /// The schema snapshot from the start of the request or its last change of a class.
    #[must_use]
    pub fn schemas(&self) -> Arc<Schemas> {
        self.schemas.load_full()
    }

    /// Updates the schema snapshot after a call of cloud code, during which other requests may have changed classes.
    pub fn catch_up_with_schemas(&self) {
        self.schemas.store(self.app.schemas.snapshot());
    }

    /// A class in the snapshot. A class that does not exist has only the default columns and is open to everyone.
    #[must_use]
    pub fn class(&self, name: &ClassName) -> Arc<Class> {
        self.schemas.load().get(name).cloned().unwrap_or_else(|| self.app.schemas.unknown_class(name))
    }

    /// Reads all classes from the store and updates the snapshot, after this request changed a class or if it must
    /// not use cached ones.
    ///
    /// # Errors
    /// If the store cannot be read; the old snapshot is kept.
    pub async fn reload_schemas(&self) -> Result<Arc<Schemas>> {
        let schemas = self.app.schemas.reload().await?;
        self.schemas.store(schemas.clone());
        Ok(schemas)
    }

    /// Builds URLs of files for responses to this request.
    #[must_use]
    pub fn file_addresses(&self) -> FileAddresses {
        let options = &self.app.options;
        FileAddresses {
            base: format!("{}/files/{}/", self.client.base_url, options.keys.app_id),
            hosted_key: options.files.file_key.as_ref().map(|key| key.expose().to_owned()),
            elsewhere: self.app.file_addresses.clone(),
        }
    }

    /// Current time.
    #[must_use]
    pub fn now(&self) -> Date {
        self.app.clock.now()
    }

    /// The entities of the caller: `*`, the user's id, then the direct and inherited roles, each as `role:NAME`. Loaded
    /// at most once per request. Not used for master-key callers.
    ///
    /// # Errors
    /// If the roles cannot be read; 209 for a session without a user.
    pub async fn entities(&self) -> Result<Arc<[String]>> {
        match &self.auth {
            Auth::User(user) => self.entities.get_or_try_init(|| self.entities_of(&user.id)).await.cloned(),
            Auth::Orphan => Err(ParseError::new(ErrorCode::InvalidSessionToken, "Invalid session token")),
            Auth::Master | Auth::ReadOnlyMaster | Auth::Maintenance | Auth::Anonymous => Ok(PUBLIC.clone()),
        }
    }

    async fn entities_of(&self, user: &str) -> Result<Arc<[String]>> {
        // Inside a transaction roles may have changed that are not visible outside yet.
        let known = if self.transaction.is_none() { self.app.entities.known(user) } else { None };
        match known {
            Some(entities) => Ok(entities),
            None => self.app.entities.find(&self.app, user, self.transaction.as_ref()).await,
        }
    }

    /// Whether the caller has a role, given as `role:NAME`.
    ///
    /// # Errors
    /// As [`Context::entities`].
    pub async fn holds(&self, role: &str) -> Result<bool> {
        Ok(self.auth.user().is_some() && self.entities().await?.iter().skip(2).any(|held| held == role))
    }

    /// # Errors
    /// 403, sanitised, unless the caller has the master key, or the one that only reads.
    pub fn require_master(&self) -> Result<()> {
        if self.auth.has_master_key() { Ok(()) } else { Err(master_key_required()) }
    }

    /// Refuses what writes while the server accepts reads only.
    ///
    /// # Errors
    /// 503.
    pub fn admit_write(&self) -> Result<()> {
        if self.writes { Ok(()) } else { Err(ParseError::unavailable("The server is read-only for now.", AGAIN)) }
    }

    /// Refuses the read-only master key for an operation that writes, and everyone while the server accepts reads only.
    ///
    /// # Errors
    /// 119, sanitised; 503.
    pub fn refuse_read_only_write(&self, operation: Operation) -> Result<()> {
        self.admit_write()?;
        if !self.auth.is_read_only() {
            return Ok(());
        }
        self.refuse_read_only(format!(
            "read-only masterKey isn't allowed to perform the {} operation.",
            operation.name()
        ))
    }

    /// Like [`Context::refuse_read_only_write`], with a message, for operations that are not on a class.
    ///
    /// # Errors
    /// 119, sanitised; 503.
    pub fn refuse_read_only(&self, message: impl Into<std::borrow::Cow<'static, str>>) -> Result<()> {
        self.admit_write()?;
        if self.auth.is_read_only() {
            Err(ParseError::sanitized(ErrorCode::OperationForbidden, message))
        } else {
            Ok(())
        }
    }
}

fn master_key_required() -> ParseError {
    ParseError { sensitive: true, ..ParseError::http(403, "unauthorized: master key is required") }
}
