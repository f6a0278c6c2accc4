//! What roles add to the pipelines: any change makes what users hold uncertain.

use async_trait::async_trait;

use crate::domain::kernel::class_rules::ClassRules;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::stages::Stored;
use crate::error::Result;

/// Rules of the class of roles.
pub struct RoleRules;

#[async_trait]
impl ClassRules for RoleRules {
    async fn follow_up(&self, cx: &Context, stored: Stored) -> Result<Stored> {
        cx.app.roles.clear();
        Ok(stored)
    }

    async fn after_delete(&self, cx: &Context, _id: &str) -> Result<()> {
        cx.app.roles.clear();
        Ok(())
    }
}
