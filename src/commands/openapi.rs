//! `reparse openapi`: prints the OpenAPI document.

use std::io::Write as _;
use std::process::ExitCode;

use super::fail;
use crate::config::Loaded;
use crate::{rest, server};

/// Prints the OpenAPI document of the application. Reads only; a server may be running on the store.
pub async fn print_document(loaded: &Loaded, yaml: bool) -> ExitCode {
    let options = &loaded.options;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    let classes = match server::classes(options).await {
        Ok(classes) => classes,
        Err(error) => return fail(&format!("error: {error}")),
    };
    let document = rest::typed_document(&options.server.mount_path, &classes);
    let text = if yaml { rest::openapi::to_yaml(&document) } else { format!("{document:#}\n") };
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("error: cannot write the document: {error}")),
    }
}
