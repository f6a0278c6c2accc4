//! The security check (`/security`): finds settings that are acceptable for development and dangerous on the internet.

use serde_json::{Value as Json, json};

use crate::config::Options;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::error::{ParseError, Result};

/// Version of the report format.
const REPORT_VERSION: &str = "1.0.0";

/// Minimum number of characters of a strong key or password.
const SHORTEST_SECRET: usize = 14;
/// Minimum number of character kinds (upper case, lower case, digits, others) in a strong secret.
const KINDS_OF_CHARACTERS: usize = 3;

/// The security check, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature {
        server_info: Some(|options| json!({ "settings": { "securityCheck": options.security.check.enable_check } })),
        on_start: Some(|app| log(&app.options)),
        ..Feature::new("security")
    }
}

/// A check of one setting.
struct Check {
    title: &'static str,
    passed: bool,
    warning: &'static str,
    solution: &'static str,
}

/// The report.
///
/// # Errors
/// 403 without a master key, 409 unless `security.enableCheck` is set.
pub fn report(cx: &Context) -> Result<Json> {
    cx.require_master()?;
    if !cx.app.options.security.check.enable_check {
        return Err(ParseError::http(409, "Enable Parse Server option `security.enableCheck` to run security check."));
    }
    Ok(run(&cx.app.options))
}

/// Runs all checks.
fn run(options: &Options) -> Json {
    let groups = [("Parse Server Configuration", configuration(options)), ("Database", database(options))];
    let state = |passed: bool| if passed { "success" } else { "fail" };
    let all = groups.iter().flat_map(|(_, checks)| checks).all(|check| check.passed);
    let groups: Vec<Json> = groups
        .iter()
        .map(|(name, checks)| {
            let entries: Vec<Json> = checks
                .iter()
                .map(|check| {
                    if check.passed {
                        json!({ "title": check.title, "state": state(true) })
                    } else {
                        json!({
                            "title": check.title,
                            "state": state(false),
                            "warning": check.warning,
                            "solution": check.solution,
                        })
                    }
                })
                .collect();
            json!({ "name": name, "state": state(checks.iter().all(|check| check.passed)), "checks": entries })
        })
        .collect();
    json!({ "report": { "version": REPORT_VERSION, "state": state(all), "groups": groups } })
}

/// With `security.enableCheckLog`, runs all checks and logs the failed ones.
fn log(options: &Options) {
    if !options.security.check.enable_check_log {
        return;
    }
    let checks = configuration(options).into_iter().chain(database(options));
    for check in checks.filter(|check| !check.passed) {
        tracing::warn!(check = check.title, solution = check.solution, "security check: {}", check.warning);
    }
}

fn configuration(options: &Options) -> Vec<Check> {
    let security = &options.security;
    let limits = &security.request_complexity;
    let limited = [
        limits.include_depth,
        limits.include_count,
        limits.subquery_depth,
        limits.query_depth,
        limits.graphql_depth,
        limits.graphql_fields,
        limits.batch_request_limit,
    ];
    let foreign = [
        std::net::Ipv4Addr::new(198, 51, 100, 1).into(),
        std::net::Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    ];
    let policy = options.users.password_policy.as_ref();
    vec![
        Check {
            title: "Secure master key",
            passed: is_strong(options.keys.master_key.expose()),
            warning: "The master key can be guessed.",
            solution: "Choose a long key of upper and lower case letters, numbers and other characters.",
        },
        Check {
            title: "Security log disabled",
            passed: !security.check.enable_check_log,
            warning: "Whoever reads the log learns which settings are weak.",
            solution: "Set 'security.enableCheckLog' to false.",
        },
        Check {
            title: "Client class creation disabled",
            passed: !options.schema.allow_client_class_creation,
            warning: "Any client can make classes and fill the database.",
            solution: "Set 'allowClientClassCreation' to false.",
        },
        Check {
            title: "Users are created without public access",
            passed: options.users.enforce_private_users,
            warning: "New users can be read by everybody.",
            solution: "Set 'enforcePrivateUsers' to true.",
        },
        Check {
            title: "Insecure auth adapters disabled",
            passed: !options.users.enable_insecure_auth_adapters,
            warning: "Identity providers with known weaknesses let strangers in.",
            solution: "Set 'enableInsecureAuthAdapters' to false.",
        },
        Check {
            title: "GraphQL public introspection disabled",
            passed: !options.graphql.public_introspection,
            warning: "Everybody can read the GraphQL schema, and with it the names of all classes and fields.",
            solution: "Set 'graphQLPublicIntrospection' to false.",
        },
        Check {
            title: "GraphQL Playground disabled",
            passed: !options.graphql.mount_playground,
            warning: "The playground's page contains the master key.",
            solution: "Set 'mountPlayground' to false.",
        },
        Check {
            title: "Public database explain disabled",
            passed: !options.database.driver.allow_public_explain,
            warning: "Everybody can ask for the database's plans, which tell of its indexes and fields.",
            solution: "Set 'databaseOptions.allowPublicExplain' to false.",
        },
        Check {
            title: "Read-only master key IP range restricted",
            passed: options.keys.read_only_master_key.is_none()
                || !foreign.iter().any(|address| options.keys.read_only_master_key_ips.contains(*address)),
            warning: "The read-only master key works from any address.",
            solution: "Set 'readOnlyMasterKeyIps' to the addresses that need it.",
        },
        Check {
            title: "Request complexity limits enabled",
            passed: limited.iter().all(|limit| limit.get().is_some()),
            warning: "One query may be as deep and broad as its sender likes, and keep the database busy.",
            solution: "Set each limit of 'requestComplexity' to a positive number.",
        },
        Check {
            title: "Password reset endpoint user enumeration mitigated",
            passed: policy.is_none_or(|policy| policy.reset_password_success_on_invalid_email),
            warning: "A password reset tells whether an e-mail address belongs to a user.",
            solution: "Set 'passwordPolicy.resetPasswordSuccessOnInvalidEmail' to true.",
        },
        Check {
            title: "Email verification endpoint user enumeration mitigated",
            passed: options.mail.email_verify_success_on_invalid_email,
            warning: "A request for a verification mail tells whether an e-mail address belongs to a user.",
            solution: "Set 'emailVerifySuccessOnInvalidEmail' to true.",
        },
    ]
}

fn database(options: &Options) -> Vec<Check> {
    vec![Check {
        title: "Secure database password",
        passed: options.database.uri.has_strong_password(is_strong),
        warning: "The password of the database is missing, or can be guessed.",
        solution: "Choose a long password of upper and lower case letters, numbers and other characters.",
    }]
}

fn is_strong(secret: &str) -> bool {
    let kinds: [fn(char) -> bool; 4] = [
        |letter| letter.is_ascii_uppercase(),
        |letter| letter.is_ascii_lowercase(),
        |letter| letter.is_ascii_digit(),
        |letter| !letter.is_ascii_alphanumeric() && letter != '_',
    ];
    secret.chars().count() >= SHORTEST_SECRET
        && kinds.iter().filter(|kind| secret.chars().any(kind)).count() >= KINDS_OF_CHARACTERS
}

#[cfg(test)]
mod tests {
    use super::is_strong;

    #[test]
    fn secrets() {
        assert!(is_strong("Correct-horse-1"));
        for weak in ["", "Short-1", "alllowercaseletters", "ALLUPPER1234567"] {
            assert!(!is_strong(weak), "{weak}");
        }
    }
}
