//! Names of classes and fields, which are validated when they are created.

use std::fmt;
use std::sync::Arc;

use crate::error::{ErrorCode, ParseError, Result};

/// The class of users.
pub const USER: &str = "_User";
/// The class of sessions.
pub const SESSION: &str = "_Session";
/// The class of roles.
pub const ROLE: &str = "_Role";
/// The join class of `users` of roles.
pub const ROLE_USERS: &str = "_Join:users:_Role";
/// The join class of `roles` of roles.
pub const ROLE_ROLES: &str = "_Join:roles:_Role";
/// The class of installations.
pub const INSTALLATION: &str = "_Installation";
/// The class of products.
pub const PRODUCT: &str = "_Product";
/// The class of sent push messages.
pub const PUSH_STATUS: &str = "_PushStatus";
/// The class of job runs.
pub const JOB_STATUS: &str = "_JobStatus";
/// The class of job schedules.
pub const JOB_SCHEDULE: &str = "_JobSchedule";
/// The class of web hooks.
pub const HOOKS: &str = "_Hooks";
/// The class of the application's configuration.
pub const GLOBAL_CONFIG: &str = "_GlobalConfig";
/// The class of the GraphQL configuration.
pub const GRAPHQL_CONFIG: &str = "_GraphQLConfig";
/// The class of push audiences.
pub const AUDIENCE: &str = "_Audience";
/// The class of request ids for idempotency.
pub const IDEMPOTENCY: &str = "_Idempotency";

/// Classes that clients may use although their names begin with an underscore.
const SYSTEM_CLASSES: [&str; 10] =
    [USER, INSTALLATION, ROLE, SESSION, PRODUCT, PUSH_STATUS, JOB_STATUS, JOB_SCHEDULE, AUDIENCE, IDEMPOTENCY];

/// Classes that exist before they have a schema document.
pub const VOLATILE_CLASSES: [&str; 8] =
    [JOB_STATUS, PUSH_STATUS, HOOKS, GLOBAL_CONFIG, GRAPHQL_CONFIG, JOB_SCHEDULE, AUDIENCE, IDEMPOTENCY];

/// Classes that only the master key and the maintenance key may access.
pub const INTERNAL_CLASSES: [&str; 8] = VOLATILE_CLASSES;

/// Name of a class, cheap to clone. Any text can be held (a database may hold anything); [`ClassName::parse`] checks
/// it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClassName(Arc<str>);

impl ClassName {
    /// A name as it is: a constant of ours, one from the database, or one of a client that only asks for a class. (Such
    /// a name is looked up before it counts: there are no rows of a class that does not exist, and only
    /// [`ClassName::parse`] makes one.)
    #[must_use]
    pub fn unchecked(name: impl Into<Arc<str>>) -> Self {
        Self(name.into())
    }

    /// A name from a client.
    ///
    /// # Errors
    /// 103 if the name is not a valid class name.
    pub fn parse(name: &str) -> Result<Self> {
        if is_valid_class_name(name) {
            Ok(Self(name.into()))
        } else {
            Err(ParseError::new(ErrorCode::InvalidClassName, invalid_class_name_message(name)))
        }
    }

    /// The join class of a relation field of this class: `_Join:FIELD:CLASS`.
    #[must_use]
    pub fn join(&self, field: &str) -> Self {
        Self(format!("_Join:{field}:{self}").into())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether only the master key and the maintenance key may access the class.
    #[must_use]
    pub fn is_internal(&self) -> bool {
        INTERNAL_CLASSES.contains(&self.as_str()) || self.is_join()
    }

    /// Whether this is a join class of a relation.
    #[must_use]
    pub fn is_join(&self) -> bool {
        self.0.starts_with("_Join:")
    }

    /// Whether this is a class whose name begins with an underscore.
    #[must_use]
    pub fn is_system(&self) -> bool {
        self.0.starts_with('_')
    }
}

/// A dotted path of a field in sort orders, keys, conditions, operations and indexes: `address.city`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldPath<'a>(&'a str);

impl<'a> FieldPath<'a> {
    /// Maximum number of names in a path. No stored object is nested deeper.
    pub const MAX_PARTS: usize = 100;

    /// A path from a client; `None` if a name is empty, begins with `$`, or contains NUL, which terminates names in
    /// databases, or if there are too many names.
    #[must_use]
    pub fn parse(path: &'a str) -> Option<Self> {
        let malformed = |name: &str| name.is_empty() || name.starts_with('$') || name.contains('\0');
        let mut names = path.split('.');
        let sound = names.by_ref().take(Self::MAX_PARTS).all(|name| !malformed(name));
        (sound && names.next().is_none()).then_some(Self(path))
    }

    /// The top-level field of the path.
    #[must_use]
    pub fn root(self) -> &'a str {
        self.0.split_once('.').map_or(self.0, |(root, _)| root)
    }
}

impl fmt::Display for ClassName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for ClassName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, formatter)
    }
}

impl PartialEq<str> for ClassName {
    fn eq(&self, other: &str) -> bool {
        &*self.0 == other
    }
}

impl PartialEq<&str> for ClassName {
    fn eq(&self, other: &&str) -> bool {
        &*self.0 == *other
    }
}

/// parse-server's error message for a malformed class name, including the blank at the end.
#[must_use]
pub fn invalid_class_name_message(name: &str) -> String {
    format!(
        "Invalid classname: {name}, classnames can only have alphanumeric characters and _, and must start with an alpha character "
    )
}

/// Whether the name is one of the system classes that clients may use.
#[must_use]
pub fn is_system_class(name: &str) -> bool {
    SYSTEM_CLASSES.contains(&name)
}

/// Whether the name is a valid class name: a system class, a join class, or a letter followed by letters, digits and
/// underscores.
#[must_use]
pub fn is_valid_class_name(name: &str) -> bool {
    SYSTEM_CLASSES.contains(&name) || is_join_name(name) || (is_identifier(name) && is_free(name))
}

/// Whether the name is a valid field name: a letter followed by letters, digits and underscores, and not reserved.
#[must_use]
pub fn is_valid_field_name(name: &str) -> bool {
    is_identifier(name) && is_free(name)
}

/// The reserved names `className` and `length`.
fn is_free(name: &str) -> bool {
    name != "className" && name != "length"
}

/// Letters, digits and underscores, the first a letter.
#[must_use]
pub fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn is_join_name(name: &str) -> bool {
    let Some((field, class)) = name.strip_prefix("_Join:").and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    let word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    word(field) && word(class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_paths() {
        let deep = ["a"; FieldPath::MAX_PARTS].join(".");
        for good in ["a", "a.b", "_id", "a.0", &deep] {
            assert!(FieldPath::parse(good).is_some(), "{good}");
        }
        let deeper = format!("{deep}.a");
        for bad in ["", ".", "a.", ".a", "a..b", "a.$b", "$a", "a.\0", "a\0b", &deeper] {
            assert!(FieldPath::parse(bad).is_none(), "{bad:?}");
        }
        assert_eq!(FieldPath::parse("a.b.c").map(FieldPath::root), Some("a"));
    }

    #[test]
    fn class_names() {
        for good in ["Game", "g1_x", "_User", "_Join:users:_Role"] {
            assert!(ClassName::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "_Unknown", "1x", "a-b", "className", "length", "_Join:x", "a b", "ä"] {
            assert!(ClassName::parse(bad).is_err(), "{bad}");
        }
    }
}
