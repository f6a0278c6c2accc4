use super::Update;
use crate::error::Result;
use crate::model::names::ClassName;
use crate::model::value::Pointer;
use serde_json::{Map, Value as Json};
#[derive(Debug, Default)]
pub struct RelationChange {
    pub class: Option<ClassName>,
    pub add: Vec<Pointer>,
    pub remove: Vec<Pointer>,
}
#[derive(Debug, Default)]
pub struct ParsedWrite {
    pub update: Update,
    pub relations: Vec<(String, RelationChange)>,
}
pub fn parse(_body: Map<String, Json>, _creating: bool) -> Result<ParsedWrite> {
    Ok(ParsedWrite::default())
}
