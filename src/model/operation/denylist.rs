use crate::error::Result;
use serde_json::{Map, Value as Json};
pub fn check(_b: &Map<String, Json>, _d: &[crate::config::rules::DeniedKeyword]) -> Result<()> {
    Ok(())
}
