//! The triggers of cloud code, and the classes that can have them.

use super::names::{self, ClassName};

/// The class of triggers on files.
pub const FILES: &str = "@File";
/// The class of triggers on the application's configuration.
pub const CONFIG: &str = "@Config";
/// The class of the trigger on connections for live queries.
pub const CONNECT: &str = "@Connect";

/// A trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trigger {
    /// Before an object is created or updated; may refuse or change the write.
    BeforeSave,
    /// After an object was created or updated.
    AfterSave,
    /// Before an object is deleted; may refuse.
    BeforeDelete,
    /// After an object was deleted.
    AfterDelete,
    /// Before a query runs; may refuse, change or answer it.
    BeforeFind,
    /// After a query; may change the results.
    AfterFind,
    /// Before a log in, after the password was verified; may refuse.
    BeforeLogin,
    /// After a log in.
    AfterLogin,
    /// After a log out.
    AfterLogout,
    /// Before a password reset mail is sent; may refuse.
    BeforePasswordResetRequest,
    /// Before a connection for live queries; may refuse.
    BeforeConnect,
    /// Before a subscription to a live query; may refuse, and change the query.
    BeforeSubscribe,
    /// Before an event of a live query is sent.
    AfterEvent,
}

use Trigger::{
    AfterDelete, AfterEvent, AfterFind, AfterLogin, AfterLogout, AfterSave, BeforeConnect, BeforeDelete, BeforeFind,
    BeforeLogin, BeforePasswordResetRequest, BeforeSave, BeforeSubscribe,
};

impl Trigger {
    /// All triggers.
    pub const ALL: [Self; 13] = [
        BeforeSave,
        AfterSave,
        BeforeDelete,
        AfterDelete,
        BeforeFind,
        AfterFind,
        BeforeLogin,
        AfterLogin,
        AfterLogout,
        BeforePasswordResetRequest,
        BeforeConnect,
        BeforeSubscribe,
        AfterEvent,
    ];

    /// Its name in Parse.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            BeforeSave => "beforeSave",
            AfterSave => "afterSave",
            BeforeDelete => "beforeDelete",
            AfterDelete => "afterDelete",
            BeforeFind => "beforeFind",
            AfterFind => "afterFind",
            BeforeLogin => "beforeLogin",
            AfterLogin => "afterLogin",
            AfterLogout => "afterLogout",
            BeforePasswordResetRequest => "beforePasswordResetRequest",
            BeforeConnect => "beforeConnect",
            BeforeSubscribe => "beforeSubscribe",
            AfterEvent => "afterEvent",
        }
    }

    /// The trigger of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|trigger| trigger.name() == name)
    }

    /// Whether it runs before the operation and can refuse it.
    #[must_use]
    pub const fn is_before(self) -> bool {
        match self {
            BeforeSave
            | BeforeDelete
            | BeforeFind
            | BeforeLogin
            | BeforePasswordResetRequest
            | BeforeConnect
            | BeforeSubscribe => true,
            AfterSave | AfterDelete | AfterFind | AfterLogin | AfterLogout | AfterEvent => false,
        }
    }

    /// Why a class cannot have this trigger (Parse's message); `None` if it can.
    #[must_use]
    pub fn refusal(self, class: &ClassName) -> Option<&'static str> {
        let is = |name: &str| class.as_str() == name;
        match self {
            BeforeLogin | AfterLogin | BeforePasswordResetRequest if !is(names::USER) => Some(
                "Only the _User class is allowed for the beforeLogin, afterLogin, and beforePasswordResetRequest triggers",
            ),
            AfterLogout if !is(names::SESSION) => {
                Some("Only the _Session class is allowed for the afterLogout trigger.")
            }
            BeforeSave | AfterSave | BeforeDelete | AfterDelete | BeforeFind | AfterFind if is(names::SESSION) => {
                Some("Only the afterLogout trigger is allowed for the _Session class.")
            }
            _ if is(names::PUSH_STATUS) && self != AfterSave => Some("Only afterSave is allowed on _PushStatus"),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for trigger in Trigger::ALL {
            assert_eq!(Trigger::named(trigger.name()), Some(trigger));
        }
        assert_eq!(Trigger::named("beforeDinner"), None);
    }

    #[test]
    fn pairs_that_are_refused() {
        for (trigger, class) in [
            (BeforeLogin, "Other"),
            (AfterLogin, "Other"),
            (BeforePasswordResetRequest, names::SESSION),
            (AfterLogout, names::USER),
            (BeforeSave, names::SESSION),
            (BeforeFind, names::SESSION),
            (BeforeSave, names::PUSH_STATUS),
        ] {
            assert!(trigger.refusal(&ClassName::unchecked(class)).is_some(), "{trigger:?} {class}");
        }
        for (trigger, class) in [
            (BeforeLogin, names::USER),
            (AfterLogout, names::SESSION),
            (AfterEvent, names::SESSION),
            (AfterSave, names::PUSH_STATUS),
            (BeforeSave, FILES),
            (BeforeConnect, CONNECT),
            (BeforeSave, "No class can have this name!"),
        ] {
            assert!(trigger.refusal(&ClassName::unchecked(class)).is_none(), "{trigger:?} {class}");
        }
    }
}
