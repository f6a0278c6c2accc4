//! Paging arguments of connections.

use serde_json::{Map, Value as Json};

use super::ids;
use crate::error::{ErrorCode, ParseError, Result};

/// Default number of rows of a connection.
pub const DEFAULT_LIMIT: u64 = 100;

/// Paging arguments as the parameters of a find.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page {
    /// Number of rows to skip.
    pub skip: Option<u64>,
    /// Maximum number of rows to read.
    pub limit: Option<u64>,
    /// Whether the last rows are requested, which needs a count first.
    pub from_end: bool,
}

impl Page {
    /// Reads `skip`, `first` (or `limit`), `after`, `last` and `before`.
    ///
    /// # Errors
    /// 102 for a negative number or an invalid cursor.
    pub fn read(arguments: &Map<String, Json>, max_limit: Option<u64>) -> Result<Self> {
        let mut page = Self { skip: count(arguments, "skip", "Skip")?, ..Self::default() };
        if let Some(after) = cursor(arguments, "after", "After")? {
            page.skip = Some(page.skip.unwrap_or(0).saturating_add(after).saturating_add(1));
        }
        page.limit = count(arguments, "first", "First")?.or(count(arguments, "limit", "Limit")?);
        if let Some(before) = cursor(arguments, "before", "Before")? {
            let room = before.saturating_sub(page.skip.unwrap_or(0));
            page.limit = Some(page.limit.map_or(room, |limit| limit.min(room)));
        }
        if let Some(last) = count(arguments, "last", "Last")? {
            let last = max_limit.map_or(last, |max| last.min(max));
            match page.limit {
                Some(limit) if last < limit => {
                    page.skip = Some(page.skip.unwrap_or(0).saturating_add(limit - last));
                    page.limit = Some(last);
                }
                Some(_) => {}
                None => {
                    page.limit = Some(last);
                    page.from_end = last > 0;
                }
            }
        }
        Ok(page)
    }

    /// Whether the default page is requested.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn invalid(message: String) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, message)
}

fn count(arguments: &Map<String, Json>, key: &str, name: &str) -> Result<Option<u64>> {
    match arguments.get(key).and_then(Json::as_i64) {
        None => Ok(None),
        Some(number) => {
            u64::try_from(number).map(Some).map_err(|_| invalid(format!("{name} should be a positive number")))
        }
    }
}

fn cursor(arguments: &Map<String, Json>, key: &str, name: &str) -> Result<Option<u64>> {
    match arguments.get(key).and_then(Json::as_str).filter(|cursor| !cursor.is_empty()) {
        None => Ok(None),
        Some(cursor) => ids::index(cursor).map(Some).ok_or_else(|| invalid(format!("{name} is not a valid cursor"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pages() {
        let read = |json: Json| {
            Page::read(json.as_object().unwrap(), Some(50)).map(|page| (page.skip, page.limit, page.from_end))
        };
        let zero = ids::cursor(0);
        for (arguments, expected) in [
            (json!({}), (None, None, false)),
            (json!({"first": 2}), (None, Some(2), false)),
            (json!({"skip": 1, "after": zero}), (Some(2), None, false)),
            (json!({"before": ids::cursor(3)}), (None, Some(3), false)),
            (json!({"skip": 5, "before": ids::cursor(3)}), (Some(5), Some(0), false)),
            (json!({"first": 10, "before": ids::cursor(3)}), (None, Some(3), false)),
            (json!({"last": 1}), (None, Some(1), true)),
            (json!({"last": 99}), (None, Some(50), true)),
            (json!({"last": 0}), (None, Some(0), false)),
            (json!({"first": 10, "last": 4}), (Some(6), Some(4), false)),
        ] {
            assert_eq!(read(arguments.clone()).unwrap(), expected, "{arguments}");
        }
        for arguments in [
            json!({"first": -1}),
            json!({"skip": -1}),
            json!({"last": -1}),
            json!({"after": "zz"}),
            json!({"before": "zz"}),
        ] {
            assert!(read(arguments).is_err());
        }
    }
}
