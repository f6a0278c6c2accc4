//! Rules across options, and the words parse-server uses for values it refuses.
pub(super) fn type_message(_path: &str) -> Option<&'static str> { None }
pub(super) fn null_is_wrong(_path: &str) -> bool { false }
