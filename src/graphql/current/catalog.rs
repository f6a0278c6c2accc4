//! The root fields of the current dialect.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::graphql::parse::catalog::{Catalog, Class};
use crate::graphql::parse::custom::CustomField;

/// A field of a root type.
#[derive(Debug, Clone)]
pub enum Root {
    Node,
    Get(Arc<Class>),
    Find(Arc<Class>),
    Health,
    Viewer,
    Class,
    Classes,
    CloudConfig,
    /// A subscription to a class.
    Follow(Arc<Class>),
    Create(Arc<Class>),
    Update(Arc<Class>),
    Delete(Arc<Class>),
    CreateFile,
    SignUp,
    LogIn,
    LogInWith,
    LogOut,
    ResetPassword,
    ConfirmResetPassword,
    SendVerificationEmail,
    Challenge,
    CreateClass,
    UpdateClass,
    DeleteClass,
    UpdateCloudConfig,
    CallCloudCode,
    /// A field that the app added.
    Custom(Arc<CustomField>),
}

/// The classes and the root fields of a schema.
#[derive(Debug)]
pub struct Roots {
    /// The classes.
    pub classes: Catalog,
    /// Fields of the query type.
    pub queries: IndexMap<String, Root>,
    /// Fields of the mutation type.
    pub mutations: IndexMap<String, Root>,
    /// Fields of the subscription type.
    pub subscriptions: IndexMap<String, Root>,
}

impl AsRef<Catalog> for Roots {
    fn as_ref(&self) -> &Catalog {
        &self.classes
    }
}
