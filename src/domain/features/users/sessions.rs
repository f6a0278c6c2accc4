//! What users need of sessions: the one way from this feature to that one.

pub(super) use crate::domain::features::sessions::{
    CreatedWith, create, end, end_all, refuse_ended, resolve, standing_of,
};
