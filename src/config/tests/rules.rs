//! Types, ranges, exclusions, unknown and unsupported options.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::{configuration, options, refusal};
use crate::config::{ConfigError, DatabaseUri, Options, TrustProxy};

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn wrong_values_are_refused_in_parse_servers_words() {
    let cases = [
        (json!({ "defaultLimit": "invalid" }), "Default limit must be a number."),
        (json!({ "defaultLimit": {} }), "Default limit must be a number."),
        (json!({ "defaultLimit": [] }), "Default limit must be a number."),
        (json!({ "defaultLimit": true }), "Default limit must be a number."),
        (json!({ "defaultLimit": 0 }), "Default limit must be a value greater than 0."),
        (json!({ "maxLimit": -100 }), "Max limit must be a value greater than 0."),
        (json!({ "sessionLength": "test" }), "Session length must be a valid number."),
        (json!({ "sessionLength": 0 }), "Session length must be a value greater than 0."),
        (json!({ "sessionLength": "-33" }), "Session length must be a value greater than 0."),
        (json!({ "revokeSessionOnPasswordReset": "yolo" }), "revokeSessionOnPasswordReset must be a boolean value"),
        (json!({ "extendSessionOnUse": "yolo" }), "extendSessionOnUse must be a boolean value"),
        (json!({ "enforcePrivateUsers": 0 }), "Parse Server option enforcePrivateUsers must be a boolean."),
        (json!({ "enforcePrivateUsers": null }), "Parse Server option enforcePrivateUsers must be a boolean."),
        (
            json!({ "allowClientClassCreation": "yes" }),
            "Parse Server option allowClientClassCreation must be a boolean.",
        ),
        (
            json!({ "publicServerURL": "ftp://x" }),
            "The option publicServerURL must be a valid URL starting with http:// or https://.",
        ),
        (
            json!({ "masterKeyIps": ["127.0.0.1", "1234"] }),
            "The Parse Server option \"masterKeyIps\" contains an invalid IP address \"1234\".",
        ),
        (
            json!({ "maintenanceKeyIps": ["300.0.0.0/8"] }),
            "The Parse Server option \"maintenanceKeyIps\" contains an invalid IP address \"300.0.0.0\".",
        ),
        (json!({ "masterKey": "maint" }), "masterKey and maintenanceKey should be different"),
        (json!({ "readOnlyMasterKey": "master" }), "masterKey and readOnlyMasterKey should be different"),
        (
            json!({ "accountLockout": { "duration": "a", "threshold": 3 } }),
            "Account lockout duration should be greater than 0 and less than 100000",
        ),
        (
            json!({ "accountLockout": { "duration": 0, "threshold": 3 } }),
            "Account lockout duration should be greater than 0 and less than 100000",
        ),
        (
            json!({ "accountLockout": { "duration": 5, "threshold": 2.5 } }),
            "Account lockout threshold should be an integer greater than 0 and less than 1000",
        ),
        (
            json!({ "accountLockout": { "duration": 5, "threshold": -1 } }),
            "Account lockout threshold should be an integer greater than 0 and less than 1000",
        ),
        (
            json!({ "accountLockout": { "duration": 5, "threshold": 3, "unlockOnPasswordReset": null } }),
            "Parse Server option accountLockout.unlockOnPasswordReset must be a boolean.",
        ),
        (
            json!({ "passwordPolicy": { "resetTokenValidityDuration": 0 } }),
            "passwordPolicy.resetTokenValidityDuration must be a positive number",
        ),
        (
            json!({ "passwordPolicy": { "validatorPattern": 1234 } }),
            "passwordPolicy.validatorPattern must be a regex string or RegExp object.",
        ),
        (
            json!({ "passwordPolicy": { "validatorCallback": "abc" } }),
            "passwordPolicy.validatorCallback must be a function.",
        ),
        (
            json!({ "passwordPolicy": { "doNotAllowUsername": "no" } }),
            "passwordPolicy.doNotAllowUsername must be a boolean value.",
        ),
        (
            json!({ "passwordPolicy": { "maxPasswordAge": -100 } }),
            "passwordPolicy.maxPasswordAge must be a positive number",
        ),
        (
            json!({ "passwordPolicy": { "maxPasswordHistory": 21 } }),
            "passwordPolicy.maxPasswordHistory must be an integer ranging 0 - 20",
        ),
        (
            json!({ "passwordPolicy": { "maxPasswordHistory": "not a number" } }),
            "passwordPolicy.maxPasswordHistory must be an integer ranging 0 - 20",
        ),
        (
            json!({ "passwordPolicy": { "resetTokenReuseIfValid": true } }),
            "You cannot use resetTokenReuseIfValid without resetTokenValidityDuration",
        ),
        (
            json!({ "passwordPolicy": { "resetPasswordSuccessOnInvalidEmail": [] } }),
            "resetPasswordSuccessOnInvalidEmail must be a boolean value",
        ),
        (json!({ "idempotencyOptions": { "ttl": "a" } }), "idempotency TTL value must be a number"),
        (json!({ "idempotencyOptions": { "ttl": 0 } }), "idempotency TTL value must be greater than 0 seconds"),
        (json!({ "idempotencyOptions": { "paths": 1 } }), "idempotency paths must be of an array of strings"),
        (json!({ "databaseOptions": [] }), "databaseOptions must be an object"),
        (json!({ "databaseOptions": 0 }), "databaseOptions must be an object"),
        (json!({ "databaseOptions": "string" }), "databaseOptions must be an object"),
        (
            json!({ "databaseOptions": { "enableSchemaHooks": null } }),
            "databaseOptions.enableSchemaHooks must be a boolean",
        ),
        (json!({ "databaseOptions": { "schemaCacheTtl": null } }), "databaseOptions.schemaCacheTtl must be a number"),
        (json!({ "databaseOptions": { "schemaCacheTtl": false } }), "databaseOptions.schemaCacheTtl must be a number"),
        (json!({ "fileUpload": [] }), "fileUpload must be an object value."),
        (json!({ "fileUpload": null }), "fileUpload must be an object value."),
        (json!({ "fileUpload": { "enableForPublic": 1 } }), "fileUpload.enableForPublic must be a boolean value."),
        (json!({ "fileUpload": { "fileExtensions": "x" } }), "fileUpload.fileExtensions must be an array."),
        (json!({ "allowHeaders": {} }), "Allow headers must be an array"),
        (json!({ "allowHeaders": ["X-A", 3] }), "Allow headers must only contain strings"),
        (json!({ "allowHeaders": ["", "X-A"] }), "Allow headers must not contain empty strings"),
        (json!({ "rateLimit": 3 }), "rateLimit must be an array or object"),
        (json!({ "rateLimit": [3] }), "rateLimit must be an array of objects"),
        (json!({ "rateLimit": [{}] }), "rateLimit.requestPath must be defined"),
        (json!({ "rateLimit": { "requestPath": "*" } }), "rateLimit.requestTimeWindow must be defined"),
        (
            json!({ "rateLimit": { "requestPath": "*", "requestTimeWindow": 1 } }),
            "rateLimit.requestCount must be defined",
        ),
        (
            json!({ "rateLimit": [{ "requestPath": "*", "requestTimeWindow": [], "requestCount": 3 }] }),
            "rateLimit.requestTimeWindow must be a number",
        ),
        (
            json!({ "rateLimit": [{ "requestPath": "*", "zone": "abc" }] }),
            "rateLimit.zone must be one of global, session, user, or ip",
        ),
        (
            json!({ "requestComplexity": { "queryDepth": 0 } }),
            "requestComplexity.queryDepth must be a positive integer or -1 to disable.",
        ),
        (json!({ "requestComplexity": { "allowRegex": 1 } }), "requestComplexity.allowRegex must be a boolean."),
        (
            json!({ "installation": { "duplicateDeviceTokenAction": "x" } }),
            "installation.duplicateDeviceTokenAction must be one of: 'delete', 'update'.",
        ),
        (
            json!({ "routeAllowList": ["a("] }),
            "Parse Server option routeAllowList contains an invalid regex pattern: \"a(\".",
        ),
        (json!({ "routeAllowList": [1] }), "Parse Server option routeAllowList contains a non-string value."),
        (
            json!({ "logLevels": { "triggerAfter": "x" } }),
            "'triggerAfter' must be one of [\"error\",\"warn\",\"info\",\"debug\",\"verbose\",\"silly\",\"silent\"]",
        ),
        (json!({ "security": [] }), "Parse Server option security must be an object."),
        (json!({ "security": { "enableCheck": 0 } }), "Parse Server option security.enableCheck must be a boolean."),
        (json!({ "schema": [] }), "Parse Server option schema must be an object."),
        (json!({ "schema": { "definitions": {} } }), "Parse Server option schema.definitions must be an array."),
        (json!({ "pages": { "forceRedirect": "x" } }), "Parse Server option pages.forceRedirect must be a boolean."),
        (json!({ "customPages": [] }), "Parse Server option customPages must be an object."),
        (json!({ "requestKeywordDenylist": 1 }), "Parse Server option requestKeywordDenylist must be an array."),
        (
            json!({ "verifyUserEmails": true }),
            "An emailAdapter is required for e-mail verification and password resets.",
        ),
        (
            json!({ "verifyUserEmails": true, "emailAdapter": "discard" }),
            "An app name is required for e-mail verification and password resets.",
        ),
        (
            json!({ "verifyUserEmails": true, "emailAdapter": "discard", "appName": "a" }),
            "The option publicServerURL is required.",
        ),
        (
            json!({ "verifyUserEmails": true, "emailAdapter": "discard", "appName": "a", "publicServerURL": "http://x",
                "emailVerifyTokenReuseIfValid": true }),
            "You cannot use emailVerifyTokenReuseIfValid without emailVerifyTokenValidityDuration",
        ),
        (json!({ "emailVerifyTokenReuseIfValid": [] }), "emailVerifyTokenReuseIfValid must be a boolean value"),
    ];
    for (extra, message) in cases {
        assert_eq!(refusal(extra.clone()), message, "{extra}");
    }
}

#[test]
fn wrong_values_are_refused_in_our_words() {
    let cases = [
        (json!({ "appId": "" }), "option appId is required"),
        (json!({ "appId": 3 }), "option appId must be a string, not that number"),
        (json!({ "masterKey": "" }), "option masterKey is required"),
        (json!({ "clientKey": "" }), "option clientKey must not be empty"),
        (json!({ "databaseURI": null }), "\"file:./data\""),
        (json!({ "databaseURI": null }), "\"mongodb://localhost:27017/parse\""),
        (json!({ "databaseURI": "postgres://u:secret@h/db" }), "PostgreSQL is not supported"),
        (json!({ "databaseURI": "redis://h" }), "must start with mongodb://"),
        (json!({ "databaseURI": "file:" }), "contains no directory"),
        (json!({ "port": "eighty" }), "option port must be an integer from 0 to 65535, not a string"),
        (json!({ "port": 70000 }), "option port must be an integer from 0 to 65535"),
        (json!({ "mountPath": "parse" }), "option mountPath must start with /"),
        (json!({ "mountPath": "/a/:id" }), "option mountPath must be a path"),
        (
            json!({ "mountPath": "/x", "mountGraphQL": true, "graphQLPath": "/x/" }),
            "options mountPath and graphQLPath must be different",
        ),
        (json!({ "mountGraphQL": true, "graphQLPath": "graphql" }), "option graphQLPath must start with /"),
        (json!({ "objectIdSize": 0 }), "option objectIdSize must be an integer from 1 to 64"),
        (json!({ "objectIdSize": -1 }), "option objectIdSize must be an integer"),
        (json!({ "maxUploadSize": "many" }), "option maxUploadSize must be a size such as \"20mb\""),
        (json!({ "maxUploadSize": true }), "option maxUploadSize must be a size"),
        (json!({ "maxUploadSize": "0" }), "option maxUploadSize must be greater than 0"),
        (json!({ "allowOrigin": ["a\r\nb"] }), "option allowOrigin must contain origins"),
        (json!({ "allowHeaders": ["X: y"] }), "option allowHeaders must contain valid header names"),
        (json!({ "trustProxy": { "a": 1 } }), "option trustProxy must be a boolean, a number of proxies"),
        (json!({ "trustProxy": ["nowhere"] }), "option trustProxy must be"),
        (
            json!({ "protectedFields": { "_User": ["email"] } }),
            "option protectedFields._User must be an object, not a list",
        ),
        (
            json!({ "protectedFields": { "_User": { "*": "email" } } }),
            "option protectedFields._User.* must be a list, not a string",
        ),
        (
            json!({ "requestKeywordDenylist": [5] }),
            "option requestKeywordDenylist[0] must be PATTERN, {\"key\": PATTERN}",
        ),
        (json!({ "requestKeywordDenylist": [{ "key": "a", "x": 1 }] }), "option requestKeywordDenylist[0] must be"),
        (
            json!({ "requestKeywordDenylist": [{ "key": "(" }] }),
            "requestKeywordDenylist contains an invalid regular expression",
        ),
        (
            json!({ "idempotencyOptions": { "paths": ["("] } }),
            "idempotencyOptions.paths contains an invalid regular expression",
        ),
        (json!({ "logLevel": "loud" }), "option logLevel must be one of \"error\", \"warn\""),
        (json!({ "bcryptCost": 3 }), "option bcryptCost must be an integer from 4 to 31"),
        (json!({ "bcryptCost": 32 }), "option bcryptCost must be an integer from 4 to 31"),
        (json!({ "hashThreads": 0 }), "option hashThreads must be an integer from 1"),
        (json!({ "openapi": { "enabled": "no" } }), "option openapi.enabled must be a boolean, not a string"),
        (json!({ "synchronous": "off" }), "option synchronous must be one of \"full\", \"normal\""),
        (json!({ "collectionPrefix": "a$" }), "option collectionPrefix must not contain $"),
        (json!({ "emailAdapter": {} }), "option emailAdapter.module must be a string"),
    ];
    for (extra, message) in cases {
        let refused = refusal(extra.clone());
        assert!(refused.contains(message), "{extra}: {refused}");
        assert!(!refused.contains("secret"), "{refused}");
    }
}

#[test]
fn unknown_keys_name_the_nearest_one_at_any_depth() {
    let cases = [
        (json!({ "appID": "x" }), "unknown option appID; did you mean appId?"),
        (json!({ "sesionLength": 1 }), "unknown option sesionLength; did you mean sessionLength?"),
        (json!({ "xyzzy": 1 }), "unknown option xyzzy"),
        (
            json!({ "accountLockout": { "treshold": 1 } }),
            "unknown option accountLockout.treshold; did you mean threshold?",
        ),
        (
            json!({ "rateLimit": [{ "RequestPath": 1 }] }),
            "unknown option rateLimit[0].RequestPath; did you mean requestPath?",
        ),
        (
            json!({ "pages": { "customUrls": { "EmailVerificationSendFail": 1 } } }),
            "unknown option pages.customUrls.EmailVerificationSendFail; did you mean emailVerificationSendFail?",
        ),
        (
            json!({ "emailAdapter": { "module": "discard", "opts": {} } }),
            "unknown option emailAdapter.opts; did you mean options?",
        ),
        (json!({ "openapi": { "doc": true } }), "unknown option openapi.doc; did you mean docs?"),
        (json!({ "reparse": { "bcryptcost": 4 } }), "unknown option reparse.bcryptcost; did you mean bcryptCost?"),
    ];
    for (extra, message) in cases {
        assert_eq!(refusal(extra), message);
    }
}

fn resolved(extra: Value) -> Result<(Options, Vec<String>), ConfigError> {
    crate::config::resolve(crate::config::merge::configuration(configuration(extra))?, crate::config::Unknown::Refused)
}

#[test]
fn what_is_missing_is_refused_by_name_or_ignored_with_one_warning() {
    let cases = [
        (
            json!({ "middleware": "m.js" }),
            "option middleware: only a Node program can run middleware of Express: use the npm package",
        ),
        (
            json!({ "push": { "adapter": {} } }),
            "option push: adapter must be the name of an adapter or {\"module\", \"options\"}",
        ),
        (json!({ "liveQuery": { "wssAdapter": {} } }), "option liveQuery.wssAdapter: not supported yet"),
        (
            json!({ "auth": { "corp": { "url": "https://x" } } }),
            "option auth.corp: unknown provider; built-in providers: anonymous, apple, facebook, gcenter, github, google, gpgames, instagram, janraincapture, keycloak, line, linkedin, mfa, microsoft, qq, spotify, twitter, wechat, weibo; a provider of any other name needs {\"oauth2\": true, …} or one of the modules oidc, webhook",
        ),
        (
            json!({ "auth": { "meetup": { "enableInsecureAuth": true } } }),
            "option auth.meetup: not built in (parse-server has it only with enableInsecureAuth, which believes access tokens of any app); write an adapter in JavaScript and name it: {\"module\": \"./meetup.js\", \"options\": {…}}",
        ),
        (json!({ "databaseOptions": { "proxyHost": "p" } }), "option databaseOptions.proxyHost: not supported yet"),
    ];
    for (extra, message) in cases {
        assert_eq!(resolved(extra.clone()).unwrap_err().to_string(), message);
        let mut ignoring = extra.clone();
        ignoring["ignoreUnsupported"] = json!(true);
        let (read, warnings) = resolved(ignoring).unwrap();
        assert_eq!(warnings, [format!("{message} (ignored)")], "{extra}");
        assert_eq!(read.server.cloud, None);
        assert_eq!(read.push.senders, None);
        assert_eq!(read.users.auth.get("corp"), None);
        assert_eq!(read.users.auth.get("meetup"), None);
        assert_eq!(read.mail.email_adapter, None);
        assert_eq!(read.database.driver.proxy_host, None);
    }
    let (_, warnings) = resolved(json!({ "ignoreUnsupported": true, "xyzzy": 1, "security": { "chek": 1 } })).unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        resolved(json!({ "ignoreUnsupported": true, "defaultLimit": 0, "cloud": "x" })).is_err(),
        "rules stay rules"
    );
}

#[test]
fn values_that_ask_for_nothing_are_no_gap() {
    for extra in [
        json!({ "verifyUserEmails": false, "cluster": null, "startLiveQueryServer": null, "scheduledPush": false }),
        json!({ "pages": {}, "customPages": {}, "auth": { "facebook": { "enabled": false }, "anonymous": {} } }),
        json!({ "logsFolder": null, "filesAdapter": null, "databaseAdapter": null, "emailAdapter": null }),
        json!({ "directAccess": false, "fileUpload": { "enableForPublic": true }, "emailAdapter": "discard" }),
    ] {
        assert_eq!(resolved(extra).unwrap().1, Vec::<String>::new());
    }
}

#[test]
fn options_that_parse_server_dropped_are_a_warning() {
    let (_, warnings) = resolved(json!({
        "encodeParseObjectInCloudFunction": true, "pages": { "enableRouter": true }, "serverStartComplete": "x",
    }))
    .unwrap();
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    assert!(warnings.iter().any(|warning| warning.contains("pages.enableRouter")));
}

#[test]
fn text_stands_for_numbers_booleans_and_lists_on_the_first_level() {
    let read = options(json!({
        "port": "8080", "silent": "true", "masterKeyIps": "10.0.0.0/8, ::0", "databaseOptions": "{\"maxPoolSize\": 3}",
    }));
    assert_eq!(read.server.port, 8080);
    assert_eq!(read.logging.silent, Some(true));
    assert_eq!(read.database.driver.max_pool_size, Some(3));
    let inside = |address: &str| read.keys.master_key_ips.contains(address.parse::<IpAddr>().unwrap());
    assert!(inside("10.1.2.3") && inside("::ffff:10.1.2.3") && inside("2001:db8::1"));
    assert!(!inside("11.1.2.3") && !inside("::ffff:11.1.2.3"));
}

#[test]
fn typed_values() {
    let read = options(json!({
        "maxUploadSize": "1.5KB", "trustProxy": ["loopback", "10.0.0.1"], "allowOrigin": "https://a.example",
        "requestComplexity": { "queryDepth": 2 }, "userSensitiveFields": ["phone"], "mountPath": "/1/",
        "protectedFields": { "_User": { "authenticated": ["phone"] } },
    }));
    assert_eq!(read.server.max_upload_size.bytes, 1536);
    assert!(matches!(&read.server.trust_proxy, TrustProxy::Addresses(nets) if nets.len() == 3));
    assert_eq!(read.server.allow_origin.unwrap().0, ["https://a.example"]);
    assert_eq!(read.security.request_complexity.query_depth.get(), Some(2));
    assert_eq!(read.security.request_complexity.include_depth.get(), None);
    assert_eq!(read.server.mount_path, "/1");
    assert_eq!(read.server.server_url.as_deref(), Some("http://localhost:1337/1"));
    assert_eq!(read.security.protected_fields.0["_User"]["*"], ["phone", "email"]);
    assert_eq!(read.security.protected_fields.0["_User"]["authenticated"], ["phone"]);
    for (given, wanted) in [
        (json!(true), TrustProxy::Everybody),
        (json!(false), TrustProxy::Nobody),
        (json!([]), TrustProxy::Nobody),
        (json!(2), TrustProxy::Hops(2)),
    ] {
        assert_eq!(options(json!({ "trustProxy": given })).server.trust_proxy, wanted);
    }
}

#[test]
fn own_list_of_protected_fields_stays_alone_only_without_owner_exemption() {
    let list = json!({ "_User": { "*": ["phone"] } });
    let with = options(json!({ "protectedFields": list }));
    assert_eq!(with.security.protected_fields.0["_User"]["*"], ["phone", "email"]);
    let without = options(json!({ "protectedFields": list, "protectedFieldsOwnerExempt": false }));
    assert_eq!(without.security.protected_fields.0["_User"]["*"], ["phone"]);
    let other = options(json!({ "protectedFields": { "Song": { "*": ["text"] } } }));
    assert_eq!(other.security.protected_fields.0["_User"]["*"], ["email"]);
}

#[test]
fn stores() {
    let uri = |text: &str| options(json!({ "databaseURI": text })).database.uri;
    assert_eq!(uri("file:./data"), DatabaseUri::Embedded { dir: "./data".into() });
    assert_eq!(uri("file:///var/lib/reparse"), DatabaseUri::Embedded { dir: "/var/lib/reparse".into() });
    assert!(matches!(uri("mongodb+srv://h/db"), DatabaseUri::Mongo { .. }));
}

#[test]
fn driver_options_go_into_the_connection_string() {
    let string = |uri: &str, driver: Value| {
        let read = options(json!({ "databaseURI": uri, "databaseOptions": driver }));
        let DatabaseUri::Mongo { uri } = &read.database.uri else { panic!("{uri}") };
        read.database.driver.applied_to(uri.expose())
    };
    assert_eq!(string("mongodb://h/db", json!({})), "mongodb://h/db");
    assert_eq!(string("mongodb://h/db?w=1", json!({})), "mongodb://h/db?w=1");
    assert_eq!(string("mongodb://h", json!({ "maxPoolSize": 3 })), "mongodb://h/?maxPoolSize=3");
    assert_eq!(
        string("mongodb://h/db?w=1&maxpoolsize=3", json!({ "maxPoolSize": 5 })),
        "mongodb://h/db?w=1&maxPoolSize=5"
    );
    assert_eq!(string("mongodb://h/db?w=1", json!({ "appName": "a&b" })), "mongodb://h/db?w=1&appName=a%26b");
    let driver = json!({ "authMechanism": "MONGODB-OIDC", "authMechanismProperties": { "ENVIRONMENT": "k8s" } });
    assert_eq!(
        string("mongodb://h/db", driver),
        "mongodb://h/db?authMechanism=MONGODB%2DOIDC&authMechanismProperties=ENVIRONMENT%3Ak8s"
    );
    let driver = json!({ "appName": "a b", "retryWrites": false, "readPreference": "nearest",
        "readPreferenceTags": [{ "dc": "ny", "rack": "1" }, {}], "maxTimeMS": 5 });
    assert_eq!(
        string("mongodb://u:p@h1,h2/db?RETRYWRITES=true&w=majority", driver),
        "mongodb://u:p@h1,h2/db?w=majority&appName=a%20b&readPreference=nearest\
         &readPreferenceTags=dc%3Any%2Crack%3A1&readPreferenceTags=&retryWrites=false"
    );
}

#[test]
fn secrets_are_not_printed() {
    let read = options(json!({
        "masterKey": "TOPSECRET1", "maintenanceKey": "TOPSECRET2", "databaseURI": "mongodb://u:TOPSECRET3@h/db",
        "auth": { "anonymous": { "x": "TOPSECRET4" } }, "emailAdapter": { "module": "discard", "options": { "p": "TOPSECRET5" } },
        "restAPIKey": "TOPSECRET6",
    }));
    let printed = format!("{read:?}");
    assert!(!printed.contains("TOPSECRET"), "{printed}");
}

#[test]
fn profiles_of_the_contract_load() {
    let profiles = [
        json!({ "allowClientClassCreation": true, "mountGraphQL": true, "readOnlyMasterKey": "readonly",
            "idempotencyOptions": { "paths": [".*"], "ttl": 300 } }),
        json!({ "clientKey": "ck", "javascriptKey": "jsk", "restAPIKey": "rk", "dotNetKey": "dk" }),
        json!({ "revokeSessionOnPasswordReset": false, "expireInactiveSessions": false, "enforcePrivateUsers": false,
            "enableSanitizedErrorResponse": false }),
        json!({ "sessionLength": 1, "enableAnonymousUsers": false, "protectedFieldsOwnerExempt": false,
            "protectedFieldsSaveResponseExempt": false,
            "protectedFields": { "_User": { "*": ["email", "phone"], "authenticated": ["phone"] } } }),
        json!({ "convertEmailToLowercase": true, "convertUsernameToLowercase": true, "allowCustomObjectId": true,
            "objectIdSize": 16 }),
        json!({ "defaultLimit": 2, "maxLimit": 3, "requestComplexity": { "includeDepth": 1, "includeCount": 2,
            "subqueryDepth": 1, "queryDepth": 2, "batchRequestLimit": 2, "graphQLDepth": 5, "graphQLFields": 15,
            "allowRegex": false } }),
        json!({ "maxUploadSize": "1kb", "fileUpload": { "enableForPublic": true, "enableForAnonymousUser": true,
            "enableForAuthenticatedUser": true } }),
        json!({ "rateLimit": [{ "requestPath": "/login", "requestTimeWindow": 60000, "requestCount": 2,
            "includeInternalRequests": true, "errorResponseMessage": "Slow down." }],
            "routeAllowList": ["classes/Open.*", "login", "users.*", "batch"] }),
        json!({ "graphQLPublicIntrospection": true, "graphQLPath": "/graphql", "emailAdapter": { "module": "discard" } }),
    ];
    for profile in profiles {
        assert_eq!(resolved(profile).unwrap().1, Vec::<String>::new());
    }
    // asked for, not there yet: starts when told to ignore that
    for profile in [
        json!({ "accountLockout": { "threshold": 3, "duration": 0.05, "unlockOnPasswordReset": true } }),
        json!({ "passwordPolicy": { "validatorPattern": "^(?=.*[a-z])(?=.*[0-9]).{8,}$", "maxPasswordAge": 1e-06,
            "resetTokenValidityDuration": 0.5, "resetTokenReuseIfValid": true, "maxPasswordHistory": 3 } }),
        json!({ "verifyUserEmails": true, "preventLoginWithUnverifiedEmail": true, "emailVerifyTokenValidityDuration": 7200,
            "emailVerifySuccessOnInvalidEmail": false, "appName": "Demo", "publicServerURL": "http://localhost:1/parse",
            "emailAdapter": { "module": "discard" } }),
        json!({ "auth": { "mfa": { "options": ["TOTP"], "digits": 6 } } }),
    ] {
        let mut profile = profile;
        profile["ignoreUnsupported"] = json!(true);
        resolved(profile).unwrap();
    }
}

#[test]
fn the_last_line_tells_thrown_errors_from_texts() {
    let line = |extra| Options::from_json(configuration(extra)).unwrap_err().line();
    assert_eq!(line(json!({ "masterKey": "maint" })), "Error: masterKey and maintenanceKey should be different");
    assert_eq!(line(json!({ "defaultLimit": 0 })), "error: Default limit must be a value greater than 0.");
}
