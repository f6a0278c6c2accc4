//! Generates the client from the document that `REPARSE_OPENAPI_DOCUMENT` names.

use std::error::Error;
use std::path::PathBuf;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-env-changed=REPARSE_OPENAPI_DOCUMENT");
    let document = env::var("REPARSE_OPENAPI_DOCUMENT")?;
    println!("cargo::rerun-if-changed={document}");
    let spec = serde_json::from_slice(&fs::read(document)?)?;
    let mut settings = progenitor::GenerationSettings::default();
    settings.with_interface(progenitor::InterfaceStyle::Builder);
    let client = progenitor::Generator::new(&settings).generate_tokens(&spec)?;
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("client.rs"), client.to_string())?;
    Ok(())
}
