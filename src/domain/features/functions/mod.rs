//! Functions of the app's code (`/functions/NAME`).

use serde_json::{Map, Value as Json};

use crate::domain::kernel::context::Context;
use crate::domain::kernel::triggers::FormFile;
use crate::domain::triggers;
use crate::error::{ErrorCode, ParseError, Result};

/// What a function answers.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Its result; `None`: it gave none.
    pub result: Option<Json>,
    /// Status of the answer, where the function chose one.
    pub status: Option<u16>,
    /// Headers of the answer that the function chose.
    pub headers: Vec<(String, String)>,
}

/// Calls a function with parameters, some of which may be files of a form.
///
/// # Errors
/// 141 for an unknown name, and what the function refuses.
pub async fn call(cx: &Context, name: &str, parameters: Map<String, Json>, files: Vec<FormFile>) -> Result<Outcome> {
    let function = cx.app.triggers.function(name).filter(|_| can_be_called(name));
    let Some(function) = function else {
        let shown: String = name.chars().take(200).collect();
        return Err(ParseError::new(ErrorCode::ScriptFailed, format!("Invalid function: \"{shown}\"")));
    };
    cx.app.file_hosts.check_map(&parameters)?;
    let answer = triggers::run(cx, &function, name, parameters, files).await?;
    Ok(Outcome { result: answer.result, status: answer.status, headers: answer.headers })
}

/// A name with a dot stands for nothing that can be called.
fn can_be_called(name: &str) -> bool {
    !name.contains(['.', '\'', '"', '`'])
}
