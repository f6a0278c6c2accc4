//! Requests that are recognised when they come twice (`X-Parse-Request-Id`): the first one leaves a row with its id, and the
//! unique index over ids refuses the second.

use fancy_regex::{Regex, RegexBuilder};

use super::context::Context;
use super::permissions::Scoped;
use super::schema::check::known_class;
use super::store;
use crate::config::server::Idempotency as Options;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::query::{Constraint, Filter};
use crate::storage::StorageError;

/// Steps back that one pattern may take on one path.
const BACKTRACK_LIMIT: usize = 10_000;

/// On which paths requests are recognised, and for how long.
#[derive(Debug)]
pub struct Idempotency {
    paths: Vec<Regex>,
    /// Seconds.
    ttl: f64,
}

impl Idempotency {
    /// As the options say. Patterns were checked with the options; one that is none matches nothing.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let anchored = |pattern: &String| {
            let pattern = format!("^(?:{})", pattern.strip_prefix('^').unwrap_or(pattern));
            RegexBuilder::new(&pattern).backtrack_limit(BACKTRACK_LIMIT).build().ok()
        };
        Self { paths: options.paths.iter().filter_map(anchored).collect(), ttl: options.ttl }
    }
}

/// Takes note of a request that changes something. `path`: below the mount path.
///
/// # Errors
/// 159 when a request with the same id came before.
pub async fn check(cx: &Context, path: &str) -> Result<()> {
    let settings = &cx.app.idempotency;
    let Some(id) = cx.client.request_id.as_deref() else { return Ok(()) };
    let path = path.trim_matches('/');
    if !settings.paths.iter().any(|pattern| pattern.is_match(path).unwrap_or(false)) {
        return Ok(());
    }
    let class = known_class(cx, &ClassName::trusted(names::IDEMPOTENCY));
    let now = cx.now();
    let mut row = Object::new();
    row.insert("objectId", cx.app.random.alphanumeric(usize::from(cx.app.options.database.object_id_size)));
    row.insert("createdAt", now);
    row.insert("updatedAt", now);
    row.insert("reqId", id);
    row.insert("expire", now.plus_seconds(settings.ttl));
    match store::insert(cx, &class, row.clone()).await {
        Err(StorageError::Duplicate { .. }) => {}
        result => return result.map_err(store::failure),
    }
    // The store removes expired rows in its own time.
    let expired = Filter::eq("reqId", id).and(Filter::field("expire", Constraint::Lt(now.into())));
    if store::delete(cx, &class, &Scoped::internal(expired, "an id that may be used again")).await? == 0 {
        return Err(duplicate());
    }
    match store::insert(cx, &class, row).await {
        Err(StorageError::Duplicate { .. }) => Err(duplicate()),
        result => result.map_err(store::failure),
    }
}

fn duplicate() -> ParseError {
    ParseError::new(ErrorCode::DuplicateRequest, "Duplicate request")
}
