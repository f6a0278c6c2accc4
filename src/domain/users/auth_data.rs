//! Linked identities: reading `authData`, finding whose it is, storing it.
//!
//! Each provider has a column `_auth_data_P` with a unique index on its `id`.

use serde_json::{Map, Value as Json};

use crate::domain::context::Context;
use crate::domain::read;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names;
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::options::FindOptions;
use crate::model::query::{Filter, Resolved};
use crate::model::value::Value;

/// Name of the provider that every server knows.
pub const ANONYMOUS: &str = "anonymous";

/// The column of a provider.
#[must_use]
pub fn column(provider: &str) -> String {
    format!("_auth_data_{provider}")
}

/// 252: the provider is unknown or switched off.
#[must_use]
pub fn unsupported() -> ParseError {
    ParseError::new(ErrorCode::UnsupportedService, "This authentication method is unsupported.")
}

/// 208: another user has this identity.
#[must_use]
pub fn already_used() -> ParseError {
    ParseError::new(ErrorCode::AccountAlreadyLinked, "this auth is already used")
}

/// `authData` as sent, with providers that this server has.
#[derive(Debug, Default)]
pub struct AuthData {
    /// Provider → its data; `None` unlinks.
    providers: Vec<(String, Option<Map<String, Json>>)>,
}

impl AuthData {
    /// Reads what was sent.
    ///
    /// # Errors
    /// 252 for anything but an object, and for a provider that this server does not have; 162 for an id that is no string.
    pub fn read(cx: &Context, sent: &Json) -> Result<Self> {
        let map = sent.as_object().ok_or_else(unsupported)?;
        let mut providers = Vec::with_capacity(map.len());
        for (provider, data) in map {
            let data = match data {
                Json::Null => None,
                Json::Object(data) => Some(data.clone()),
                _ => return Err(unsupported()),
            };
            if let Some(data) = &data {
                match data.get("id") {
                    None | Some(Json::String(_)) => {}
                    Some(_) => {
                        return Err(ParseError::new(
                            ErrorCode::InvalidValue,
                            format!("Invalid authData id for provider '{provider}'."),
                        ));
                    }
                }
                validate(cx, provider)?;
            } else if !names::is_identifier(provider) {
                return Err(unsupported());
            }
            providers.push((provider.clone(), data));
        }
        Ok(Self { providers })
    }

    /// Whether a provider brings anything to log in with.
    #[must_use]
    pub fn identifies(&self) -> bool {
        self.providers.iter().any(|(_, data)| data.as_ref().is_some_and(|data| !data.is_empty()))
    }

    /// The providers, comma separated, as sessions note them.
    #[must_use]
    pub fn names(&self) -> String {
        self.providers.iter().map(|(provider, _)| provider.as_str()).collect::<Vec<_>>().join(",")
    }

    /// The condition that a user has one of these identities; `None` when no id was sent.
    fn owners_filter(&self) -> Option<Resolved> {
        let parts: Vec<Resolved> = self
            .providers
            .iter()
            .filter_map(|(provider, data)| Some((provider, data.as_ref()?.get("id")?.as_str()?)))
            .map(|(provider, id)| Filter::eq(format!("{}.id", column(provider)), id))
            .collect();
        (!parts.is_empty()).then_some(Filter::Or(parts))
    }

    /// The users that have one of these identities; two are enough to know.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn owners(&self, cx: &Context) -> Result<Vec<Object>> {
        let Some(filter) = self.owners_filter() else {
            return Ok(Vec::new());
        };
        let options = FindOptions { limit: Some(2), ..FindOptions::default() };
        let mut owners = read::internal_all(cx, names::USER, filter, &options, "whose identity it is").await?;
        if !cx.auth.is_master() {
            // A user with an empty ACL is out of reach.
            owners.retain(|owner| {
                let empty = |column: &str| owner.get(column).and_then(Value::as_array).is_some_and(<[Value]>::is_empty);
                !(empty("_rperm") && empty("_wperm"))
            });
        }
        Ok(owners)
    }

    /// The changes of a user's columns.
    ///
    /// # Errors
    /// 111 for a typed value that is none.
    pub fn changes(self) -> Result<Update> {
        let mut update = Update::default();
        for (provider, data) in self.providers {
            let change = match data {
                Some(data) => Change::Set(Value::Object(json::decode_map(data)?)),
                None => Change::Unset,
            };
            update.put(column(&provider), change);
        }
        Ok(update)
    }
}

/// Whether this server has the provider.
fn validate(cx: &Context, provider: &str) -> Result<()> {
    let users = &cx.app.options.users;
    let supported = provider == ANONYMOUS
        && users.enable_anonymous_users
        && users.auth.get(ANONYMOUS).is_none_or(|options| options.get("enabled") != Some(&Json::Bool(false)));
    if supported { Ok(()) } else { Err(unsupported()) }
}

/// `authData` sent along with a password: every provider in it must be valid.
///
/// # Errors
/// 252 and 162 as [`AuthData::read`]; 208 when it is someone else's.
pub fn check_on_log_in(cx: &Context, user: &Object, sent: Option<&Json>) -> Result<()> {
    let Some(sent) = sent.filter(|sent| !sent.is_null()) else {
        return Ok(());
    };
    let auth_data = AuthData::read(cx, sent)?;
    for (provider, data) in &auth_data.providers {
        let stored = user.get(&column(provider)).and_then(Value::as_object).and_then(|linked| linked.get_str("id"));
        let claimed = data.as_ref().and_then(|data| data.get("id")).and_then(Json::as_str);
        if claimed.is_some() && claimed != stored {
            return Err(already_used());
        }
    }
    Ok(())
}

/// The `authData` that a row's columns make up; `None` when nothing is linked.
#[must_use]
pub fn assemble(row: &Object) -> Option<Object> {
    let linked: Object = row
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("_auth_data_")?.to_owned(), value)))
        .filter(|(_, value)| !value.is_null())
        .map(|(provider, value)| (provider, value.clone()))
        .collect();
    (!linked.is_empty()).then_some(linked)
}
