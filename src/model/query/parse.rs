use super::Filter;
use crate::error::Result;
use crate::model::Date;
use crate::model::schema::ClassSchema;
use serde_json::Value as Json;
pub struct Access<'a> {
    pub master: bool,
    pub maintenance: bool,
    pub now: Date,
    pub schema: Option<&'a ClassSchema>,
    pub allow_regex: bool,
}
pub fn parse(_json: &Json, _access: &Access<'_>) -> Result<Filter> {
    Ok(Filter::All)
}
impl Filter {
    pub fn visit_paths(&self, _v: &mut dyn FnMut(&str)) {}
    pub fn condition_depth(&self) -> usize {
        0
    }
    pub fn subquery_depth(&self) -> usize {
        0
    }
}
