//! A schema that can execute requests.

use async_graphql::dynamic::{Schema as DynamicSchema, SchemaError};

use super::coerce::Reader;
use super::prepared::Documents;
use super::scalars::ScalarReader;
use super::types::{self, Types};
use super::validation::OnlyValidate;

/// A schema; `C` is the dialect's data about it.
#[derive(Debug)]
pub struct Schema<C> {
    /// Every type.
    pub types: Types,
    /// The dialect's data.
    pub catalog: C,
    /// Reads the values of scalars that GraphQL does not define.
    scalars: ScalarReader,
    /// The schema of async-graphql, which validates documents.
    pub(super) dynamic: DynamicSchema,
    /// Cache of valid documents.
    pub(super) documents: Documents,
}

impl<C> Schema<C> {
    /// Creates a schema with these types.
    ///
    /// # Errors
    /// If the types do not fit together.
    pub fn new(types: Types, catalog: C, scalars: ScalarReader) -> Result<Self, SchemaError> {
        let dynamic = types::assemble(&types, scalars, OnlyValidate)?;
        Ok(Self { types, catalog, scalars, dynamic, documents: Documents::default() })
    }

    /// Coerces values to these types. `may_introspect`: whether errors may name types and fields.
    pub(super) const fn reader(&self, may_introspect: bool) -> Reader<'_> {
        Reader { types: &self.types, scalars: self.scalars, may_introspect }
    }

    /// The schema in the schema language (SDL), printed by async-graphql.
    #[cfg(test)]
    pub(crate) fn sdl(&self) -> String {
        self.dynamic.sdl()
    }
}
