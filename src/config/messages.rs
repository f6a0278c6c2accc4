//! parse-server's error messages for values of the wrong type, for options that have a
//! message of their own.

use serde_json::Value;

use super::values::LogLevel;

/// parse-server's message for a value of the wrong type at `path`; `None` if it has none
/// of its own and the general message is used.
pub(super) fn wrong_type(path: &str, found: &Value) -> Option<String> {
    let general = without_indexes(path);
    let (area, key) = general.split_once('.').unwrap_or(("", &general));
    let sentence = match area {
        "" => return top(key, found),
        "accountLockout" => match key {
            "duration" => "Account lockout duration should be greater than 0 and less than 100000",
            "threshold" => "Account lockout threshold should be an integer greater than 0 and less than 1000",
            "unlockOnPasswordReset" => "Parse Server option accountLockout.unlockOnPasswordReset must be a boolean.",
            _ => return None,
        },
        "passwordPolicy" => return password_policy(key),
        "idempotencyOptions" => match key {
            "ttl" => "idempotency TTL value must be a number",
            "paths" | "paths[]" => "idempotency paths must be of an array of strings",
            _ => return None,
        },
        "databaseOptions" => match key {
            "enableSchemaHooks" => "databaseOptions.enableSchemaHooks must be a boolean",
            "schemaCacheTtl" => "databaseOptions.schemaCacheTtl must be a number",
            "allowPublicExplain" => "Parse Server option 'databaseOptions.allowPublicExplain' must be a boolean.",
            _ => return None,
        },
        "installation" => match key {
            "duplicateDeviceTokenActionEnforceAuth" => {
                "installation.duplicateDeviceTokenActionEnforceAuth must be a boolean."
            }
            "duplicateDeviceTokenAction" => {
                "installation.duplicateDeviceTokenAction must be one of: 'delete', 'update'."
            }
            "duplicateDeviceTokenMergePriority" => {
                "installation.duplicateDeviceTokenMergePriority must be one of: 'deviceToken', 'installationId'."
            }
            _ => return None,
        },
        "rateLimit[]" => return rate_limit(key, found),
        "fileUpload" | "fileDownload" => return files(&general, key),
        "security" | "schema" | "pages" => return parse_server_option(&general, key, area),
        "requestComplexity" if key == "allowRegex" => "requestComplexity.allowRegex must be a boolean.",
        "liveQuery" if key == "regexTimeout" => "liveQuery.regexTimeout must be a number",
        "logLevels" => {
            let levels = Value::from(LogLevel::WORDS);
            return Some(format!("'{key}' must be one of {levels}"));
        }
        _ => return None,
    };
    Some(sentence.to_owned())
}

/// Messages of top-level options.
fn top(key: &str, found: &Value) -> Option<String> {
    let sentence = match key {
        "defaultLimit" => "Default limit must be a number.",
        "sessionLength" => "Session length must be a valid number.",
        "emailVerifyTokenValidityDuration" => "Email verify token validity duration must be a valid number.",
        "revokeSessionOnPasswordReset"
        | "extendSessionOnUse"
        | "emailVerifyTokenReuseIfValid"
        | "emailVerifySuccessOnInvalidEmail" => return Some(format!("{key} must be a boolean value")),
        "enforcePrivateUsers"
        | "allowExpiredAuthDataToken"
        | "allowClientClassCreation"
        | "enableInsecureAuthAdapters" => {
            return Some(format!("Parse Server option {key} must be a boolean."));
        }
        "schema" | "security" | "pages" | "customPages" => {
            return Some(format!("Parse Server option {key} must be an object."));
        }
        "requestKeywordDenylist" => "Parse Server option requestKeywordDenylist must be an array.",
        "publicServerURL" => {
            let kind = match found {
                Value::Bool(_) => "boolean",
                Value::Number(_) => "number",
                _ => "object",
            };
            return Some(format!("The option publicServerURL must be a string or function, but got {kind}."));
        }
        "fileUpload" | "fileDownload" => return Some(format!("{key} must be an object value.")),
        "allowHeaders" => "Allow headers must be an array",
        "allowHeaders[]" => "Allow headers must only contain strings",
        "databaseOptions" => "databaseOptions must be an object",
        "requestComplexity" => "requestComplexity must be an object.",
        "installation" => "installation must be an object.",
        "routeAllowList" => "Parse Server option routeAllowList must be an array of strings.",
        "routeAllowList[]" => "Parse Server option routeAllowList contains a non-string value.",
        "rateLimit" => "rateLimit must be an array or object",
        "rateLimit[]" => "rateLimit must be an array of objects",
        _ => return None,
    };
    Some(sentence.to_owned())
}

fn password_policy(key: &str) -> Option<String> {
    let sentence = match key {
        "maxPasswordAge" | "resetTokenValidityDuration" => {
            return Some(format!("passwordPolicy.{key} must be a positive number"));
        }
        "validatorPattern" => "passwordPolicy.validatorPattern must be a regex string or RegExp object.",
        "validatorCallback" => "passwordPolicy.validatorCallback must be a function.",
        "doNotAllowUsername" => "passwordPolicy.doNotAllowUsername must be a boolean value.",
        "maxPasswordHistory" => "passwordPolicy.maxPasswordHistory must be an integer ranging 0 - 20",
        "resetTokenReuseIfValid" | "resetPasswordSuccessOnInvalidEmail" => {
            return Some(format!("{key} must be a boolean value"));
        }
        _ => return None,
    };
    Some(sentence.to_owned())
}

fn rate_limit(key: &str, found: &Value) -> Option<String> {
    let wanted = match key {
        "requestPath" | "errorResponseMessage" => "a string",
        "requestTimeWindow" | "requestCount" => "a number",
        "includeInternalRequests" => "a boolean",
        "zone" => return Some("rateLimit.zone must be one of global, session, user, or ip".to_owned()),
        _ => return None,
    };
    if found.is_null() {
        return Some(format!("rateLimit.{key} must be defined"));
    }
    Some(format!("rateLimit.{key} must be {wanted}"))
}

fn files(path: &str, key: &str) -> Option<String> {
    let wanted = match key {
        "enableForAnonymousUser" | "enableForAuthenticatedUser" | "enableForPublic" => "a boolean value",
        "fileExtensions" | "allowedFileUrlDomains" => "an array",
        "allowedFileUrlDomains[]" => {
            return Some("fileUpload.allowedFileUrlDomains must contain only non-empty strings.".to_owned());
        }
        _ => return None,
    };
    Some(format!("{path} must be {wanted}."))
}

fn parse_server_option(path: &str, key: &str, area: &str) -> Option<String> {
    let wanted = match (area, key) {
        ("security", "enableCheck" | "enableCheckLog")
        | (
            "schema",
            "strict" | "deleteExtraFields" | "recreateModifiedFields" | "lockSchemas" | "keepUnknownIndexes",
        )
        | ("pages", "enableLocalization" | "forceRedirect" | "encodePageParamHeaders") => "a boolean",
        ("schema", "beforeMigration" | "afterMigration") => "a function",
        ("schema", "definitions") | ("pages", "customRoutes") => "an array",
        ("pages", "customUrls") => "an object",
        ("pages", "placeholders") => "an object or a function",
        ("pages", "localizationJsonPath" | "localizationFallbackLocale" | "pagesPath" | "pagesEndpoint") => "a string",
        _ => return None,
    };
    Some(format!("Parse Server option {path} must be {wanted}."))
}

/// Whether `null` at `path` is refused. For other options it means "not set".
pub(super) fn null_is_wrong(path: &str) -> bool {
    matches!(path, "databaseOptions.schemaCacheTtl" | "sessionLength" | "fileUpload" | "fileDownload" | "installation")
}

/// Removes list indexes from a path: `rateLimit[0].zone` becomes `rateLimit[].zone`.
fn without_indexes(path: &str) -> String {
    path.chars().filter(|c| !c.is_ascii_digit()).collect()
}
