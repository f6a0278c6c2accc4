//! Checks values beyond their types, and options against each other.

use fancy_regex::Regex;

use super::backup::minute_of_day;
use super::database_uri::DatabaseUri;
use super::error::ConfigError;
use super::rate_limit::RateLimit;
use super::traces::{self, Traces};
use super::values::Secret;
use super::{Options, users};

type Check = Result<(), ConfigError>;

fn refuse(message: impl Into<String>) -> Check {
    Err(ConfigError::new(message))
}

/// Checks that the required options are set.
pub(super) fn required(options: &Options, names_database: bool) -> Check {
    let keys = &options.keys;
    let missing = [
        (keys.app_id.is_empty(), "appId", "PARSE_SERVER_APPLICATION_ID"),
        (keys.master_key.text().is_some_and(|key| key.expose().is_empty()), "masterKey", "PARSE_SERVER_MASTER_KEY"),
    ];
    for (is_missing, key, variable) in missing {
        if is_missing {
            return refuse(format!(
                "option {key} is required (in the configuration file, as --{key}, or as {variable})"
            ));
        }
    }
    if !names_database {
        return refuse(
            "option databaseURI is required: \"file:./data\" stores data in a directory, \
             \"mongodb://localhost:27017/parse\" in MongoDB",
        );
    }
    Ok(())
}

/// Checks all rules; fails with the first that is broken.
pub(super) fn rules(options: &Options) -> Check {
    keys(options)?;
    if let Some(lockout) = &options.users.account_lockout {
        account_lockout(lockout)?;
    }
    if let Some(policy) = &options.users.password_policy {
        password_policy(policy)?;
    }
    server(options)?;
    paths(options)?;
    sessions_and_limits(options)?;
    mail(options)?;
    security(options)?;
    own(options)
}

/// Checks the keys.
pub(super) fn keys(options: &Options) -> Check {
    let keys = &options.keys;
    if keys.master_key.text().is_some_and(|key| keys.read_only_master_key.as_ref() == Some(key)) {
        return Err(ConfigError::thrown("masterKey and readOnlyMasterKey should be different"));
    }
    if keys.master_key.text().is_some_and(|key| keys.maintenance_key.as_ref() == Some(key)) {
        return Err(ConfigError::thrown("masterKey and maintenanceKey should be different"));
    }
    if keys.maintenance_key.is_some() && keys.maintenance_key == keys.read_only_master_key {
        return Err(ConfigError::thrown("maintenanceKey and readOnlyMasterKey should be different"));
    }
    let all = [
        ("maintenanceKey", &keys.maintenance_key),
        ("readOnlyMasterKey", &keys.read_only_master_key),
        ("clientKey", &keys.client_key),
        ("javascriptKey", &keys.javascript_key),
        ("restAPIKey", &keys.rest_api_key),
        ("dotNetKey", &keys.dot_net_key),
        ("webhookKey", &keys.webhook_key),
    ];
    for (name, key) in all {
        if key.as_ref().is_some_and(|key: &Secret| key.expose().is_empty()) {
            return refuse(format!("option {name} must not be empty"));
        }
    }
    Ok(())
}

fn account_lockout(lockout: &users::AccountLockout) -> Check {
    if !lockout.duration.is_some_and(|minutes| minutes > 0.0 && minutes <= 99_999.0) {
        return refuse("Account lockout duration should be greater than 0 and less than 100000");
    }
    if !lockout.threshold.is_some_and(|count| (1..=999).contains(&count)) {
        return refuse("Account lockout threshold should be an integer greater than 0 and less than 1000");
    }
    Ok(())
}

fn password_policy(policy: &users::PasswordPolicy) -> Check {
    if policy.max_password_age.is_some_and(|days| days < 0.0) {
        return refuse("passwordPolicy.maxPasswordAge must be a positive number");
    }
    if policy.reset_token_validity_duration.is_some_and(|seconds| seconds <= 0.0) {
        return refuse("passwordPolicy.resetTokenValidityDuration must be a positive number");
    }
    if let Some(pattern) = &policy.validator_pattern
        && !pattern.is_valid()
    {
        return refuse(format!(
            "option passwordPolicy.validatorPattern contains an invalid regular expression: \"{}\"",
            pattern.source()
        ));
    }
    if policy.max_password_history.is_some_and(|count| count > 20) {
        return refuse("passwordPolicy.maxPasswordHistory must be an integer ranging 0 - 20");
    }
    if policy.reset_token_reuse_if_valid && policy.reset_token_validity_duration.is_none() {
        return refuse("You cannot use resetTokenReuseIfValid without resetTokenValidityDuration");
    }
    Ok(())
}

fn server(options: &Options) -> Check {
    let server = &options.server;
    if server.host.trim().is_empty() {
        return refuse("option host must not be empty");
    }
    for (name, url) in [("publicServerURL", &server.public_server_url), ("serverURL", &server.server_url)] {
        let Some(url) = url else { continue };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return refuse(format!("The option {name} must be a valid URL starting with http:// or https://."));
        }
        if url.chars().any(|c| c.is_control() || c == ' ') {
            return refuse(format!("option {name} must be a URL without spaces and control characters"));
        }
    }
    if server.max_upload_size.bytes == 0 {
        return refuse("option maxUploadSize must be greater than 0");
    }
    for name in &server.allow_headers {
        if name.trim().is_empty() {
            return refuse("Allow headers must not contain empty strings");
        }
        if !name.chars().all(|c| c.is_ascii_graphic() && !"\"(),/:;<=>?@[\\]{}".contains(c)) {
            return refuse("option allowHeaders must contain valid header names");
        }
    }
    for origin in server.allow_origin.iter().flat_map(|list| &list.0) {
        if origin.is_empty() || !origin.chars().all(|c| c.is_ascii_graphic()) {
            return refuse("option allowOrigin must contain origins such as https://example.com");
        }
    }
    let idempotency = &server.idempotency;
    if idempotency.ttl <= 0.0 {
        return refuse("idempotency TTL value must be greater than 0 seconds");
    }
    for pattern in &idempotency.paths {
        check_pattern(&format!("^{pattern}"), "idempotencyOptions.paths")?;
    }
    Ok(())
}

fn paths(options: &Options) -> Check {
    let mut paths = vec![("mountPath", &options.server.mount_path)];
    if options.graphql.mount {
        paths.push(("graphQLPath", &options.graphql.path));
        paths.push(("graphQLLegacyPath", &options.own.graphql_legacy_path));
    }
    if options.graphql.mount_playground {
        paths.push(("playgroundPath", &options.graphql.playground_path));
    }
    if options.own.dashboard.enabled {
        if options.own.dashboard.path == "/" {
            return refuse("option dashboard.path must not be /");
        }
        paths.push(("dashboard.path", &options.own.dashboard.path));
    }
    if options.own.metrics.enabled {
        if options.own.metrics.key.as_ref().is_some_and(|key| key.expose().is_empty()) {
            return refuse("option metrics.key must not be empty");
        }
        paths.push(("metrics.path", &options.own.metrics.path));
    }
    for (index, (name, path)) in paths.iter().enumerate() {
        if !path.starts_with('/') {
            return refuse(format!("option {name} must start with /"));
        }
        if path.contains("//") || !path.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.~".contains(c)) {
            return refuse(format!("option {name} must be a path of letters, digits and - _ . ~"));
        }
        let same = |other: &str| other.trim_end_matches('/') == path.trim_end_matches('/');
        if let Some((other, _)) = paths.iter().take(index).find(|(_, other)| same(other)) {
            return refuse(format!("options {other} and {name} must be different"));
        }
    }
    Ok(())
}

fn sessions_and_limits(options: &Options) -> Check {
    let (users, database) = (&options.users, &options.database);
    if users.expire_inactive_sessions && users.session_length <= 0.0 {
        return refuse("Session length must be a value greater than 0.");
    }
    if database.default_limit <= 0 {
        return refuse("Default limit must be a value greater than 0.");
    }
    if database.max_limit.is_some_and(|limit| limit <= 0) {
        return refuse("Max limit must be a value greater than 0.");
    }
    if !(1..=64).contains(&database.object_id_size) {
        return refuse("option objectIdSize must be an integer from 1 to 64");
    }
    if database.collection_prefix.contains(['$', '\0']) {
        return refuse("option collectionPrefix must not contain $ or NUL");
    }
    Ok(())
}

fn mail(options: &Options) -> Check {
    let mail = &options.mail;
    if mail.verify_user_emails.is_possible() {
        if mail.email_adapter.is_none() {
            return refuse("An emailAdapter is required for e-mail verification and password resets.");
        }
        if options.server.app_name.is_none() {
            return refuse("An app name is required for e-mail verification and password resets.");
        }
        if options.server.public_server_url.is_none() {
            return refuse("The option publicServerURL is required.");
        }
        if mail.email_verify_token_validity_duration.is_some_and(|seconds| seconds <= 0.0) {
            return refuse("Email verify token validity duration must be a value greater than 0.");
        }
        if mail.email_verify_token_reuse_if_valid && mail.email_verify_token_validity_duration.is_none() {
            return refuse("You cannot use emailVerifyTokenReuseIfValid without emailVerifyTokenValidityDuration");
        }
    }
    Ok(())
}

fn security(options: &Options) -> Check {
    let security = &options.security;
    for pattern in security.route_allow_list.iter().flatten() {
        if Regex::new(&format!("^{pattern}$")).is_err() {
            return refuse(format!(
                "Parse Server option routeAllowList contains an invalid regex pattern: \"{pattern}\"."
            ));
        }
    }
    for entry in &security.request_keyword_denylist {
        for pattern in [&entry.key, &entry.value].into_iter().flatten().filter_map(|value| value.as_str()) {
            check_pattern(pattern, "requestKeywordDenylist")?;
        }
    }
    security.rate_limit.iter().try_for_each(rate_limit)?;
    if options.files.upload.allowed_file_url_domains.iter().any(|domain| domain.trim().is_empty()) {
        return refuse("fileUpload.allowedFileUrlDomains must contain only non-empty strings.");
    }
    Ok(())
}

fn rate_limit(limit: &RateLimit) -> Check {
    if limit.request_path.is_empty() {
        return refuse("rateLimit.requestPath must be defined");
    }
    if limit.request_time_window.is_none() {
        return refuse("rateLimit.requestTimeWindow must be defined");
    }
    if limit.request_count.is_none() {
        return refuse("rateLimit.requestCount must be defined");
    }
    if limit.request_time_window.is_some_and(|window| window <= 0.0) {
        return refuse("option rateLimit.requestTimeWindow must be greater than 0");
    }
    Ok(())
}

fn backup(options: &Options) -> Check {
    let backup = &options.own.backup;
    if let Some(time) = backup.schedule.0.iter().find(|time| minute_of_day(time).is_none()) {
        return refuse(format!("option backup.schedule must have times of the day such as 03:00, not {time}"));
    }
    if backup.keep == 0 {
        return refuse("option backup.keep must be greater than 0");
    }
    if !backup.schedule.0.is_empty() && matches!(options.database.uri, DatabaseUri::Mongo { .. }) {
        return refuse(
            "option backup.schedule is for the embedded store; MongoDB is backed up by its own tools (mongodump)",
        );
    }
    Ok(())
}

fn check_traces(options: &Traces) -> Check {
    if let Some(endpoint) = &options.endpoint {
        traces::endpoint_of(endpoint).map_err(|reason| ConfigError::new(format!("option traces.endpoint {reason}")))?;
    }
    let lists = [("headers", options.headers.as_ref().map(Secret::expose)), ("resource", options.resource.as_deref())];
    for (name, list) in lists {
        if let Some(Err(reason)) = list.map(traces::pairs) {
            return refuse(format!("option traces.{name} must be a list of name=value: {reason}"));
        }
    }
    if !(0.0..=1.0).contains(&options.ratio) {
        return refuse("option traces.ratio must be a number from 0 to 1");
    }
    Ok(())
}

fn own(options: &Options) -> Check {
    let own = &options.own;
    if !(4..=31).contains(&own.bcrypt_cost) {
        return refuse("option bcryptCost must be an integer from 4 to 31");
    }
    if own.data_dir.is_empty() || own.data_dir.contains('\0') {
        return refuse("option dataDir must be a directory path");
    }
    if own.hash_threads.is_some_and(|threads| !(1..=1024).contains(&threads)) {
        return refuse("option hashThreads must be an integer from 1 to 1024");
    }
    if own.audit_log.folder.as_ref().is_some_and(|folder| folder.is_empty() || folder.contains('\0')) {
        return refuse("option auditLog.folder must be a directory path");
    }
    let server = options.live_query.server.as_ref();
    if own.live_query_history && server.is_some_and(|server| server.redis_url.is_some()) {
        return refuse("options liveQueryHistory and liveQueryServerOptions.redisURL cannot be set together");
    }
    check_traces(&own.traces)?;
    let tls = &own.tls;
    if tls.certificate.is_some() != tls.key.is_some() {
        return refuse("options tls.certificate and tls.key must be set together");
    }
    backup(options)?;
    let limits = &own.limits;
    if limits.header_bytes < 8192 {
        return refuse("option limits.headerBytes must be an integer of at least 8192");
    }
    if limits.push_bytes > 6 << 20 {
        return refuse("option limits.pushBytes must be an integer up to 6291456");
    }
    if limits.readers.is_some_and(|readers| !(1..=256).contains(&readers)) {
        return refuse("option limits.readers must be an integer from 1 to 256");
    }
    if own.cloud_nice > 19 {
        return refuse("option cloudNice must be an integer from 0 to 19");
    }
    let positive = [
        (limits.backlog.into(), "limits.backlog"),
        (limits.headers as u64, "limits.headers"),
        (limits.store_queue as u64, "limits.storeQueue"),
        (limits.log_queue as u64, "limits.logQueue"),
        (u64::from(own.hash_queue), "hashQueue"),
        (own.database_timeout_ms, "databaseTimeoutMs"),
        (own.request_timeout_ms, "requestTimeoutMs"),
        (u64::from(own.cloud_workers), "cloudWorkers"),
        (own.cloud_timeout_ms, "cloudTimeoutMs"),
    ];
    for (value, name) in positive {
        if value == 0 {
            return refuse(format!("option {name} must be greater than 0"));
        }
    }
    Ok(())
}

fn check_pattern(pattern: &str, name: &str) -> Check {
    if Regex::new(pattern).is_err() {
        return refuse(format!("option {name} contains an invalid regular expression: \"{pattern}\""));
    }
    Ok(())
}

/// Warnings about settings that are valid but probably a mistake.
pub(super) fn warnings(options: &Options) -> Vec<String> {
    let mut warnings = Vec::new();
    if options.keys.app_id.contains(|c: char| "!#$%'()*+&/:;=?@[]{}^,|<>".contains(c)) {
        warnings.push("option appId contains special characters that must be escaped in URLs".to_owned());
    }
    if options.security.user_sensitive_fields.is_some() {
        warnings.push("option userSensitiveFields is deprecated: use protectedFields".to_owned());
    }
    if options.security.protected_fields.0.values().any(indexmap::IndexMap::is_empty) {
        warnings.push(
            "option protectedFields has a class without entries, so no fields of that class are protected".to_owned(),
        );
    }
    warnings
}
