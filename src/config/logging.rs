//! Options of logs.

use super::declare::Status::{Harmless, Supported};
use super::declare::{group, options};
use super::free::{Free, Module};
use super::values::LogLevel;

options! {
    /// Options of logs.
    pub struct Logging {
        /// Least severe level that is logged.
        level: Option<LogLevel> = None, "logLevel", "PARSE_SERVER_LOG_LEVEL", Supported;
        /// Log levels of particular events.
        levels: LogLevels = LogLevels::default(), "logLevels", "PARSE_SERVER_LOG_LEVELS", Supported;
        /// Write logs as JSON.
        json_logs: Option<bool> = None, "jsonLogs", "JSON_LOGS", Supported;
        /// Write no logs.
        silent: Option<bool> = None, "silent", "SILENT", Supported;
        /// Log all levels.
        verbose: Option<bool> = None, "verbose", "VERBOSE", Supported;
        /// Directory of the log files; `null` for none.
        logs_folder: Option<String> = Some("./logs".to_owned()), "logsFolder", "PARSE_SERVER_LOGS_FOLDER", Harmless("this server writes logs to standard output only");
        /// Number of log files that are kept.
        max_log_files: Option<Free> = None, "maxLogFiles", "PARSE_SERVER_MAX_LOG_FILES", Harmless("this server writes logs to standard output only");
        /// Adapter that gets the lines of the log instead of standard output, in JavaScript.
        logger_adapter: Option<Module> = None, "loggerAdapter", "PARSE_SERVER_LOGGER_ADAPTER", Supported;
    }
}

group! {
    /// Log levels of particular events.
    pub struct LogLevels {
        /// Level of failed cloud functions.
        cloud_function_error: LogLevel = LogLevel::Error, "cloudFunctionError", "PARSE_SERVER_LOG_LEVELS_CLOUD_FUNCTION_ERROR", Supported;
        /// Level of successful cloud functions.
        cloud_function_success: LogLevel = LogLevel::Info, "cloudFunctionSuccess", "PARSE_SERVER_LOG_LEVELS_CLOUD_FUNCTION_SUCCESS", Supported;
        /// Level of sign ups whose username is taken.
        signup_username_taken: LogLevel = LogLevel::Info, "signupUsernameTaken", "PARSE_SERVER_LOG_LEVELS_SIGNUP_USERNAME_TAKEN", Harmless("this server does not log refused sign ups");
        /// Level of after triggers.
        trigger_after: LogLevel = LogLevel::Info, "triggerAfter", "PARSE_SERVER_LOG_LEVELS_TRIGGER_AFTER", Supported;
        /// Level of failed before triggers.
        trigger_before_error: LogLevel = LogLevel::Error, "triggerBeforeError", "PARSE_SERVER_LOG_LEVELS_TRIGGER_BEFORE_ERROR", Supported;
        /// Level of successful before triggers.
        trigger_before_success: LogLevel = LogLevel::Info, "triggerBeforeSuccess", "PARSE_SERVER_LOG_LEVELS_TRIGGER_BEFORE_SUCCESS", Supported;
    }
}
