//! Failed log ins under names that no user has. They are counted as those of users are, and cost the same writes, so that neither the
//! texts nor the times of answers tell which names exist.
//!
//! The counts are in memory: each server has its own, the least used go first, and nothing that strangers make up fills the database.

use crate::bounded_cache::BoundedCache;
use crate::domain::kernel::caches::Cache as Watching;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::error::Result;
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::Filter;
use crate::model::schema::ClassSchema;
use crate::model::value::Value;
use crate::storage::StorageError;

/// Names that are remembered.
const MOST: u64 = 100_000;
/// The class of the rows that are written instead of a user's. Clients cannot name it.
const CLASS: &str = "_FailedLogIn";
/// Rows of that class, so that log ins at the same time seldom wait for the same row.
const ROWS: u8 = 64;

/// How often log ins under a name failed, and until when it is locked.
#[derive(Debug, Clone, Copy)]
struct Count {
    failures: f64,
    until: Option<Date>,
}

/// Counts of failed log ins by name.
#[derive(Debug)]
pub struct UnknownNames(BoundedCache<Count>);

/// What one more failure makes of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LockState {
    /// It is not locked.
    Open,
    /// It is locked from now on; this failure itself is not refused as one of a locked name.
    Reached,
    /// Its lock had run out, and begins anew.
    LockedAgain,
    /// It was locked already.
    Locked,
}

impl Default for UnknownNames {
    fn default() -> Self {
        Self(BoundedCache::new(MOST))
    }
}

impl UnknownNames {
    /// Counts a failure. `until`: the end of the lock that this failure may begin.
    pub(super) fn count(&self, name: &str, threshold: f64, now: Date, until: Date) -> LockState {
        let mut standing = LockState::Open;
        self.0.change(name.to_owned(), |known| {
            let mut count = known.unwrap_or(Count { failures: 0.0, until: None });
            if count.until.is_some_and(|end| end > now) {
                standing = LockState::Locked;
                return count;
            }
            count.failures += 1.0;
            if count.failures >= threshold {
                standing = if count.until.is_some() { LockState::LockedAgain } else { LockState::Reached };
                count.until = Some(until);
            }
            count
        });
        standing
    }
}

/// Has this server hear of the writes instead of users' as it hears of those: forgetting the user takes time, in which others wait.
pub(super) struct Echo;

impl Watching for Echo {
    fn watches(&self) -> &'static [&'static str] {
        &[CLASS]
    }

    fn forget(&self, _class: &str, _id: Option<&str>) {}

    fn clear(&self) {}
}

/// A write that costs what counting a user's failure costs.
///
/// # Errors
/// When the store fails.
pub(super) async fn write(cx: &Context) -> Result<()> {
    let schema = ClassSchema::new(ClassName::unchecked(CLASS));
    let mut byte = [0];
    cx.app.random.fill(&mut byte);
    let [byte] = byte;
    let row = format!("{:02}", byte % ROWS);
    let mut update = Update::default();
    update.put("count", Change::Increment(1.0));
    let found = cx.app.storage.update_one(&schema, &Filter::eq("objectId", row.as_str()), &update, None).await;
    if found.map_err(failure)?.is_none() {
        let mut first = Object::new();
        first.insert("objectId", row.as_str());
        first.insert("count", Value::Number(1.0));
        match cx.app.storage.insert(&schema, first, None).await {
            Ok(()) | Err(StorageError::Duplicate { .. }) => {}
            Err(error) => return Err(failure(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_locked_as_a_user_is() {
        let names = UnknownNames::default();
        let at = Date::from_millis;
        let fail = |name: &str, now: i64| names.count(name, 3.0, at(now), at(now + 100));
        assert_eq!(
            [fail("a", 0), fail("a", 1), fail("a", 2), fail("a", 3)],
            [LockState::Open, LockState::Open, LockState::Reached, LockState::Locked]
        );
        assert_eq!(fail("b", 3), LockState::Open, "names are counted by themselves");
        assert_eq!(fail("a", 102), LockState::LockedAgain, "the lock has run out");
        assert_eq!(names.count("c", 1.0, at(0), at(1)), LockState::Reached);
    }
}
