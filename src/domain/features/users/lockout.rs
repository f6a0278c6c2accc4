//! Account lockout: an account is locked for a time after too many failed log ins.
//!
//! The result of each log in is recorded by one conditional write, so the database orders concurrent attempts, also
//! those on several servers: a success counts only if the account was not locked before, and no failure is lost. An
//! account is locked if its count has reached the threshold and its lock has not expired. A count at the threshold
//! without a date is a lock too.

use super::state::Users;
use super::unknown_names::{self, LockState};
use crate::config::users::AccountLockout;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::failure;
use crate::domain::permissions::Scoped;
use crate::domain::read;
use crate::domain::store;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::date::Date;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::operation::{Change, Update};
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::value::Value;

/// Column with the number of failures since the last success.
const COUNT: &str = "_failed_login_count";
/// Column with the expiry of the lock.
const UNTIL: &str = "_account_lockout_expires_at";
/// Attempts to record a login result when concurrent logins modify the same account.
const TRIES: usize = 8;

/// The option `accountLockout`, with all values.
struct Rule {
    threshold: f64,
    minutes: f64,
}

impl Rule {
    fn of(options: &AccountLockout) -> Option<Self> {
        Some(Self { threshold: f64::from(options.threshold?), minutes: options.duration? })
    }

    fn locked(&self) -> ParseError {
        ParseError::new(
            ErrorCode::ObjectNotFound,
            format!(
                "Your account is locked due to multiple failed login attempts. Please try again after {} minute(s)",
                self.minutes
            ),
        )
    }

    fn at_least(count: f64) -> Resolved {
        Filter::field(COUNT, Constraint::Gte(Value::Number(count)))
    }

    /// Condition: the account is not locked.
    fn open(&self, now: Date) -> Resolved {
        Filter::Or(vec![
            Filter::field(COUNT, Constraint::Exists(false)),
            Filter::field(COUNT, Constraint::Lt(Value::Number(self.threshold))),
            Filter::field(UNTIL, Constraint::Lte(Value::Date(now))),
        ])
    }

    /// Condition: another failure does not reach the threshold.
    fn below_threshold(&self) -> Resolved {
        let fewer = Filter::field(COUNT, Constraint::Lt(Value::Number(self.threshold - 1.0)));
        if self.threshold > 1.0 {
            Filter::Or(vec![fewer, Filter::field(COUNT, Constraint::Exists(false))])
        } else {
            fewer
        }
    }

    /// Condition: another failure reaches the threshold, or an earlier lock has expired.
    fn at_threshold(&self, now: Date) -> Resolved {
        let mut reached = vec![Self::at_least(self.threshold - 1.0)];
        if self.threshold <= 1.0 {
            reached.push(Filter::field(COUNT, Constraint::Exists(false)));
        }
        Filter::And(vec![Filter::Or(reached), self.open(now)])
    }

    fn end(&self, now: Date) -> Date {
        now.plus_seconds(self.minutes * 60.0)
    }
}

/// Records the result of a password check.
///
/// # Errors
/// 101 if the account is locked, also by concurrent failures.
pub async fn record(cx: &Context, user: &Object, right: bool) -> Result<()> {
    let Some(rule) = cx.app.options.users.account_lockout.as_ref().and_then(Rule::of) else {
        return Ok(());
    };
    let Some(id) = user.get_str("objectId") else { return Ok(()) };
    if right { succeeded(cx, id, &rule).await } else { failed(cx, id, &rule).await }
}

/// Records a failed log in under a name that no user has: it is refused as one of a user would be, after the same commands to the store.
///
/// # Errors
/// 101, when the name is locked.
pub async fn record_unknown(cx: &Context, name: &str) -> Result<()> {
    let Some(rule) = cx.app.options.users.account_lockout.as_ref().and_then(Rule::of) else {
        return Ok(());
    };
    let now = cx.now();
    let nothing = Update::default();
    let nobody = || change(cx, "", Filter::All, &nothing);
    match cx.app.feature::<Users>()?.unknown_names.count(name, rule.threshold, now, rule.end(now)) {
        LockState::Open => unknown_names::write(cx).await,
        LockState::Reached => {
            nobody().await?;
            unknown_names::write(cx).await
        }
        LockState::LockedAgain => {
            nobody().await?;
            unknown_names::write(cx).await?;
            Err(rule.locked())
        }
        LockState::Locked => {
            nobody().await?;
            nobody().await?;
            read::internal_one(cx, names::USER, store::by_id("").and(rule.open(now)), "is it locked").await?;
            nobody().await?;
            Err(rule.locked())
        }
    }
}

/// Refuses a user whose account is locked, by the row as it was read: nothing else of the log in is looked at then.
///
/// # Errors
/// 101 if the account is locked.
pub fn refuse_locked(cx: &Context, user: &Object) -> Result<()> {
    let Some(rule) = cx.app.options.users.account_lockout.as_ref().and_then(Rule::of) else {
        return Ok(());
    };
    let reached = user.get(COUNT).and_then(Value::as_number).is_some_and(|count| count >= rule.threshold);
    let over = user.get(UNTIL).and_then(Value::as_date).is_some_and(|end| end <= cx.now());
    if reached && !over { Err(rule.locked()) } else { Ok(()) }
}

/// The changes that release a lock.
pub fn release(update: &mut Update) {
    update.put(COUNT, Change::Set(Value::Number(0.0)));
    update.put(UNTIL, Change::Unset);
}

/// Forgets the failed log ins of a user: a locked account is open again.
///
/// # Errors
/// If the store fails.
pub async fn unlock(cx: &Context, id: &str) -> Result<()> {
    let mut update = Update::default();
    release(&mut update);
    change(cx, id, Filter::All, &update).await.map(|_| ())
}

async fn change(cx: &Context, id: &str, only: Resolved, update: &Update) -> Result<Option<Object>> {
    // An attempt counts even if its transaction is rolled back.
    let cx = cx.outside_transaction();
    let class = cx.class(&ClassName::unchecked(names::USER));
    let scope = Scoped::internal(store::by_id(id).and(only), "count failed log ins");
    store::update_one(&cx, &class, &scope, update).await.map_err(failure)
}

async fn succeeded(cx: &Context, id: &str, rule: &Rule) -> Result<()> {
    let mut update = Update::default();
    update.put(COUNT, Change::Set(Value::Number(0.0)));
    match change(cx, id, rule.open(cx.now()), &update).await? {
        Some(_) => Ok(()),
        None => Err(refuse(cx, id, rule).await),
    }
}

async fn failed(cx: &Context, id: &str, rule: &Rule) -> Result<()> {
    let now = cx.now();
    let mut count = Update::default();
    count.put(COUNT, Change::Increment(1.0));
    let mut lock = count.clone();
    lock.put(UNTIL, Change::Set(Value::Date(rule.end(now))));
    for _ in 0..TRIES {
        if change(cx, id, rule.below_threshold(), &count).await?.is_some() {
            return Ok(());
        }
        if let Some(row) = change(cx, id, rule.at_threshold(now), &lock).await? {
            let again = row.get(COUNT).and_then(Value::as_number).is_some_and(|count| count > rule.threshold);
            return if again { Err(rule.locked()) } else { Ok(()) };
        }
        // Neither matched: the account is locked, or a concurrent attempt changed the count.
        if read::internal_one(cx, names::USER, store::by_id(id).and(rule.open(now)), "is it locked").await?.is_none() {
            break;
        }
    }
    Err(refuse(cx, id, rule).await)
}

/// The error of a locked account. Sets the expiry of a lock that has none, which another server may have left.
async fn refuse(cx: &Context, id: &str, rule: &Rule) -> ParseError {
    let endless = Filter::And(vec![Rule::at_least(rule.threshold), Filter::field(UNTIL, Constraint::Exists(false))]);
    let mut update = Update::default();
    update.put(UNTIL, Change::Set(Value::Date(rule.end(cx.now()))));
    match change(cx, id, endless, &update).await {
        Ok(_) => rule.locked(),
        Err(error) => error,
    }
}
