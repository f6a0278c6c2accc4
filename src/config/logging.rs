//! Logs.

use super::declare::Status::{Harmless, NotYet, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::values::LogLevel;

options! {
    /// Logs.
    pub struct Logging {
        /// Log level.
        level: Option<LogLevel> = None, "logLevel", "PARSE_SERVER_LOG_LEVEL", Supported;
        /// Levels of particular events.
        levels: LogLevels = LogLevels::default(), "logLevels", "PARSE_SERVER_LOG_LEVELS", Supported;
        /// Logs as JSON.
        json_logs: Option<bool> = None, "jsonLogs", "JSON_LOGS", Supported;
        /// No console log.
        silent: Option<bool> = None, "silent", "SILENT", Supported;
        /// Log everything.
        verbose: Option<bool> = None, "verbose", "VERBOSE", Supported;
        /// Folder of log files; null: none.
        logs_folder: Option<String> = Some("./logs".to_owned()), "logsFolder", "PARSE_SERVER_LOGS_FOLDER", Harmless("logs go to standard output; the folder is not used");
        /// Log files to keep.
        max_log_files: Option<Free> = None, "maxLogFiles", "PARSE_SERVER_MAX_LOG_FILES", Harmless("logs go to standard output");
        /// Log implementation.
        logger_adapter: Option<Free> = None, "loggerAdapter", "PARSE_SERVER_LOGGER_ADAPTER", NotYet;
    }
}

group! {
    /// Levels of particular events.
    pub struct LogLevels {
        /// Failing functions.
        cloud_function_error: LogLevel = LogLevel::Error, "cloudFunctionError", "PARSE_SERVER_LOG_LEVELS_CLOUD_FUNCTION_ERROR", Supported;
        /// Functions.
        cloud_function_success: LogLevel = LogLevel::Info, "cloudFunctionSuccess", "PARSE_SERVER_LOG_LEVELS_CLOUD_FUNCTION_SUCCESS", Supported;
        /// Sign ups with a taken name.
        signup_username_taken: LogLevel = LogLevel::Info, "signupUsernameTaken", "PARSE_SERVER_LOG_LEVELS_SIGNUP_USERNAME_TAKEN", Harmless("refusals of sign ups are not logged");
        /// After-triggers.
        trigger_after: LogLevel = LogLevel::Info, "triggerAfter", "PARSE_SERVER_LOG_LEVELS_TRIGGER_AFTER", Supported;
        /// Failing before-triggers.
        trigger_before_error: LogLevel = LogLevel::Error, "triggerBeforeError", "PARSE_SERVER_LOG_LEVELS_TRIGGER_BEFORE_ERROR", Supported;
        /// Before-triggers.
        trigger_before_success: LogLevel = LogLevel::Info, "triggerBeforeSuccess", "PARSE_SERVER_LOG_LEVELS_TRIGGER_BEFORE_SUCCESS", Supported;
    }
}
