//! A schema, ready to answer requests.

use async_graphql::dynamic::{Schema as DynamicSchema, SchemaError};

use super::coerce::Reader;
use super::prepared::Documents;
use super::scalars::ScalarReader;
use super::types::{self, Types};
use super::validation::OnlyValidate;

/// A schema; `C`: what its dialect knows of it besides its types.
#[derive(Debug)]
pub struct Schema<C> {
    /// Every type.
    pub types: Types,
    /// The dialect's part.
    pub catalog: C,
    /// Reads the values of scalars that GraphQL does not define.
    scalars: ScalarReader,
    /// async-graphql's form of it, which validates documents.
    pub(super) dynamic: DynamicSchema,
    /// Documents that are known to fit it.
    pub(super) documents: Documents,
}

impl<C> Schema<C> {
    /// The schema with these types.
    ///
    /// # Errors
    /// When the types do not fit together.
    pub fn new(types: Types, catalog: C, scalars: ScalarReader) -> Result<Self, SchemaError> {
        let dynamic = types::assemble(&types, scalars, OnlyValidate)?;
        Ok(Self { types, catalog, scalars, dynamic, documents: Documents::default() })
    }

    /// Reads values against these types. `may_introspect`: whether errors may name types and fields.
    pub(super) const fn reader(&self, may_introspect: bool) -> Reader<'_> {
        Reader { types: &self.types, scalars: self.scalars, may_introspect }
    }

    /// The schema in the schema language, as async-graphql prints it.
    #[cfg(test)]
    pub(crate) fn sdl(&self) -> String {
        self.dynamic.sdl()
    }
}
