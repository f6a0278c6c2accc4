//! What every domain function is given: who calls, from where, and inside which transaction.

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

/// What permissions may name for callers that are nobody.
static PUBLIC: LazyLock<Arc<[String]>> = LazyLock::new(|| Arc::from([acl::PUBLIC.to_owned()]));

/// Where a request comes from.
#[derive(Debug, Clone)]
pub struct Client {
    /// The caller's address.
    pub ip: IpAddr,
    /// Base of the `Location`s and file addresses in the answer: `publicServerURL`, or scheme, host and mount path.
    pub base_url: String,
    /// `X-Parse-Cloud-Context`, handed to triggers.
    pub cloud_context: Option<Map<String, Json>>,
    /// The headers of the request, names in lower case, for the app's code; `None` where there is none, and for requests that
    /// the app's code makes itself.
    pub headers: Option<Arc<Map<String, Json>>>,
    /// How many calls of the app's code the request is inside of.
    pub depth: u32,
    /// Whether the app's code makes the request from inside the server: limits for clients do not concern it.
    pub inside: bool,
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
            log_id: None,
            request_id: None,
        }
    }
}

/// One request's context. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// The server.
    pub app: Arc<App>,
    /// Who calls.
    pub auth: Auth,
    /// The session token sent, also when a master key made it unnecessary.
    pub session_token: Option<String>,
    /// The installation id sent.
    pub installation_id: Option<String>,
    /// Whether the caller is master by a key in a header.
    pub master_key_in_header: bool,
    /// Where the request comes from.
    pub client: Client,
    /// The transaction that all storage access belongs to, if any.
    pub transaction: Option<Transaction>,
    /// The classes as this request sees them, shared by everything that is done for it.
    schemas: Arc<ArcSwap<Schemas>>,
    /// Shared by all parts of the request; triggers see what earlier ones put into it.
    carried: Arc<Mutex<Map<String, Json>>>,
    deferred: Option<Deferred>,
    rehearsal: Option<Rehearsal>,
    /// What the request may still cost; its parts share it.
    pub budget: Arc<Budget>,
    entities: Arc<OnceCell<Arc<[String]>>>,
}

impl fmt::Debug for Context {
    /// Without the session token.
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
        Self {
            schemas,
            app,
            auth,
            session_token,
            installation_id,
            master_key_in_header,
            client,
            transaction: None,
            carried,
            deferred: None,
            rehearsal: None,
            budget,
            entities: Arc::default(),
        }
    }

    /// The same request with another standing: for what the server does in its own name.
    #[must_use]
    pub fn with_auth(&self, auth: Auth) -> Self {
        Self { auth, entities: Arc::default(), ..self.clone() }
    }

    /// The same request, as master.
    #[must_use]
    pub fn as_master(&self) -> Self {
        self.with_auth(Auth::Master)
    }

    /// The same request inside a transaction.
    #[must_use]
    pub fn in_transaction(&self, transaction: Transaction) -> Self {
        Self { transaction: Some(transaction), deferred: Some(Deferred::default()), ..self.clone() }
    }

    /// The same request outside of its transaction: for what must last even when the transaction is undone.
    #[must_use]
    pub fn outside_transaction(&self) -> Self {
        Self { transaction: None, deferred: None, rehearsal: None, ..self.clone() }
    }

    /// The same request while the triggers of a transaction's parts are asked, or with what they answered.
    #[must_use]
    pub fn with_rehearsal(&self, rehearsal: Rehearsal) -> Self {
        Self { rehearsal: Some(rehearsal), ..self.clone() }
    }

    /// What triggers were asked before the context's transaction began.
    #[must_use]
    pub fn rehearsal(&self) -> Option<&Rehearsal> {
        self.rehearsal.as_ref()
    }

    /// What is to happen after the commit of the context's transaction; `None` outside of transactions.
    #[must_use]
    pub fn deferred(&self) -> Option<&Deferred> {
        self.deferred.as_ref()
    }

    /// The object that a request carries from trigger to trigger.
    #[must_use]
    pub fn cloud_context(&self) -> Map<String, Json> {
        self.carried.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces that object.
    pub fn set_cloud_context(&self, context: Map<String, Json>) {
        *self.carried.lock().unwrap_or_else(PoisonError::into_inner) = context;
    }

    /// A request of its own from the same caller, such as a part of a batch: sees the classes as they are known now.
    #[must_use]
    pub fn part(&self) -> Self {
        Self { schemas: Arc::new(ArcSwap::new(self.app.schemas.snapshot())), ..self.clone() }
    }

    /// The classes as they were known when the request began, or after it changed a class last.
    #[must_use]
    pub fn schemas(&self) -> Arc<Schemas> {
        self.schemas.load_full()
    }

    /// Lets this request see the classes as they are known now: while the app's code was called, others may have changed them.
    pub fn catch_up_with_schemas(&self) {
        self.schemas.store(self.app.schemas.snapshot());
    }

    /// A class as this request sees it. One that does not exist: no fields but the default columns, open to all.
    #[must_use]
    pub fn class(&self, name: &ClassName) -> Arc<Class> {
        self.schemas.load().get(name).cloned().unwrap_or_else(|| self.app.schemas.unknown_class(name))
    }

    /// Reads the classes again, after this request changed one or where it must not rely on what is known; it sees these from here on.
    ///
    /// # Errors
    /// When the store cannot be read; what is known stays.
    pub async fn reload_schemas(&self) -> Result<Arc<Schemas>> {
        let schemas = self.app.schemas.reload().await?;
        self.schemas.store(schemas.clone());
        Ok(schemas)
    }

    /// Addresses of files, for answers to this request.
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

    /// The entities that permissions may name for the caller: `*`, the user's id, then the roles held directly or by inheritance,
    /// each as `role:NAME`. Loaded at most once per request. Not used for master-key callers.
    ///
    /// # Errors
    /// When the roles cannot be read; 209 for a session without a user.
    pub async fn entities(&self) -> Result<Arc<[String]>> {
        match &self.auth {
            Auth::User(user) => self.entities.get_or_try_init(|| self.entities_of(&user.id)).await.cloned(),
            Auth::Orphan => Err(ParseError::new(ErrorCode::InvalidSessionToken, "Invalid session token")),
            Auth::Master | Auth::ReadOnlyMaster | Auth::Maintenance | Auth::Anonymous => Ok(PUBLIC.clone()),
        }
    }

    async fn entities_of(&self, user: &str) -> Result<Arc<[String]>> {
        // Inside a transaction roles may have changed that nobody else sees yet.
        let known = if self.transaction.is_none() { self.app.entities.known(user) } else { None };
        match known {
            Some(entities) => Ok(entities),
            None => self.app.entities.find(&self.app, user, self.transaction.as_ref()).await,
        }
    }

    /// Whether the caller holds a role, named as `role:NAME`.
    ///
    /// # Errors
    /// As [`Context::entities`].
    pub async fn holds(&self, role: &str) -> Result<bool> {
        Ok(self.auth.user().is_some() && self.entities().await?.iter().skip(2).any(|held| held == role))
    }

    /// # Errors
    /// 403, sanitised, unless the caller has a master or maintenance key.
    pub fn require_master(&self) -> Result<()> {
        if self.auth.is_master() { Ok(()) } else { Err(master_key_required()) }
    }

    /// As [`Context::require_master`]; the maintenance key is not enough.
    ///
    /// # Errors
    /// 403, sanitised, unless the caller has a master key.
    pub fn require_master_key(&self) -> Result<()> {
        if self.auth.is_maintenance() { Err(master_key_required()) } else { self.require_master() }
    }

    /// Refuses the read-only master key for an operation that writes.
    ///
    /// # Errors
    /// 119, sanitised.
    pub fn refuse_read_only_write(&self, operation: Operation) -> Result<()> {
        if !self.auth.is_read_only() {
            return Ok(());
        }
        self.refuse_read_only(format!(
            "read-only masterKey isn't allowed to perform the {} operation.",
            operation.name()
        ))
    }

    /// As [`Context::refuse_read_only_write`], for what is no operation on a class; the message says what.
    ///
    /// # Errors
    /// 119, sanitised.
    pub fn refuse_read_only(&self, message: impl Into<std::borrow::Cow<'static, str>>) -> Result<()> {
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
