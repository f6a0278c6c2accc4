//! Derives GraphQL names from names of classes.

use super::plural::plural;

/// Reserved names of types.
pub const RESERVED_TYPES: [&str; 33] = [
    "String",
    "Boolean",
    "Int",
    "Float",
    "ID",
    "ArrayResult",
    "Query",
    "Mutation",
    "Subscription",
    "CreateFileInput",
    "CreateFilePayload",
    "Viewer",
    "SignUpInput",
    "SignUpPayload",
    "LogInInput",
    "LogInPayload",
    "LogOutInput",
    "LogOutPayload",
    "CloudCodeFunction",
    "CallCloudCodeInput",
    "CallCloudCodePayload",
    "CreateClassInput",
    "CreateClassPayload",
    "UpdateClassInput",
    "UpdateClassPayload",
    "DeleteClassInput",
    "DeleteClassPayload",
    "PageInfo",
    "LogInWithInput",
    "LogInWithPayload",
    "UserLoginWithInput",
    "ChallengeInput",
    "ChallengePayload",
];

/// Reserved names of queries.
pub const RESERVED_QUERIES: [&str; 6] = ["health", "viewer", "class", "classes", "cloudConfig", "node"];

/// Reserved names of mutations.
pub const RESERVED_MUTATIONS: [&str; 14] = [
    "signUp",
    "logIn",
    "logOut",
    "createFile",
    "callCloudCode",
    "createClass",
    "updateClass",
    "deleteClass",
    "updateCloudConfig",
    "logInWith",
    "resetPassword",
    "confirmResetPassword",
    "sendVerificationEmail",
    "challenge",
];

/// The type name of a class: without a leading underscore, with the first letter in upper case.
#[must_use]
pub fn type_name(class: &str) -> String {
    change_first(class.strip_prefix('_').unwrap_or(class), |first| first.to_ascii_uppercase())
}

/// The name of the query that gets one object of the type, and of the field that holds it in payloads.
#[must_use]
pub fn singular_name(type_name: &str) -> String {
    change_first(type_name, |first| first.to_ascii_lowercase())
}

/// The name of the query that finds objects of the type.
#[must_use]
pub fn plural_name(type_name: &str) -> String {
    plural(&singular_name(type_name))
}

fn change_first(text: &str, change: impl Fn(char) -> char) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| std::iter::once(change(first)).chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_classes() {
        for (class, name, one, many) in [
            ("_User", "User", "user", "users"),
            ("gameScore", "GameScore", "gameScore", "gameScores"),
            ("Person", "Person", "person", "people"),
        ] {
            assert_eq!(type_name(class), name);
            assert_eq!(singular_name(name), one);
            assert_eq!(plural_name(name), many);
        }
    }
}
