//! The schemas of request and response bodies in the OpenAPI document.
//!
//! These types contain no data. Handlers work with JSON, because the fields of a class are not known at compile time,
//! and because the domain validates bodies and answers with Parse's errors.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use serde_json::{Value as Json, json};

/// A property of a schema.
struct Property {
    name: &'static str,
    description: &'static str,
    required: bool,
    schema: MetaSchemaRef,
}

/// Declares schemas: name, whether further properties are allowed (`open`) or not (`closed`), an example, the
/// properties.
macro_rules! forms {
    ($($(#[doc = $doc:literal])+ $name:ident $openness:ident $example:tt { $($(#[doc = $about:literal])+ $need:ident $property:literal: $kind:ty,)* })*) => {$(
        $(#[doc = $doc])+
        pub struct $name;

        impl Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Reference(stringify!($name).to_owned())
            }

            fn register(registry: &mut Registry) {
                $(<$kind as Type>::register(registry);)*
                registry.create_schema::<Self, _>(stringify!($name).to_owned(), |_| {
                    let properties = vec![$(Property {
                        name: $property,
                        description: concat!($($about),+).trim_start(),
                        required: is_needed(stringify!($need)),
                        schema: <$kind as Type>::schema_ref(),
                    }),*];
                    form(concat!($($doc),+).trim_start(), stringify!($openness) == "open", json!($example), properties)
                });
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(std::iter::once(self))
            }
        }
    )*};
}

fn is_needed(need: &str) -> bool {
    need == "required"
}

fn form(description: &'static str, open: bool, example: Json, properties: Vec<Property>) -> MetaSchema {
    let mut schema = MetaSchema::new("object");
    schema.description = Some(description);
    if open {
        schema.additional_properties = Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::ANY))));
    }
    if !example.is_null() {
        schema.example = Some(example);
    }
    for property in properties {
        if property.required {
            schema.required.push(property.name);
        }
        let about = MetaSchema { description: Some(property.description), ..MetaSchema::ANY };
        schema.properties.push((property.name, property.schema.merge(about)));
    }
    schema
}

/// Any JSON.
pub type AnyJson = poem_openapi::types::Any<Json>;

forms! {
    /// An error. `code` is Parse's; errors of the HTTP layer have none.
    Error closed { "code": 101, "error": "Object not found." } {
        /// Parse's error code.
        optional "code": i32,
        /// Error message.
        required "error": String,
    }

    /// An empty object.
    Nothing closed {} {}

    /// A stored file.
    StoredFile closed { "name": "bc9f32b0fbdbbfc4e8ae4c9d3a5d4cf2_a.txt", "url": "https://example.org/parse/files/app/bc9f32b0fbdbbfc4e8ae4c9d3a5d4cf2_a.txt" } {
        /// The name it was stored under; objects refer to it by this name.
        required "name": String,
        /// Where it can be downloaded.
        required "url": String,
    }

    /// Metadata of a file; empty if the file does not exist.
    FileMetadata closed { "metadata": { "author": "somebody" } } {
        /// The metadata that was sent with the upload.
        optional "metadata": Fields,
    }

    /// Fields of an object. Typed values are objects with `__type` (`Date`, `Pointer`, `GeoPoint`, …), operations
    /// objects with `__op`.
    Fields open { "score": 1337, "playedAt": { "__type": "Date", "iso": "2020-02-03T04:05:06.789Z" } } {}

    /// An object of any class.
    ParseObject open { "objectId": "Ed1nuqPvcm", "createdAt": "2020-02-03T04:05:06.789Z", "updatedAt": "2020-02-03T04:05:06.789Z", "score": 1337 } {
        /// Identifies the object within its class.
        optional "objectId": String,
        /// When the object was created, ISO 8601.
        optional "createdAt": String,
        /// When the object was last updated, ISO 8601.
        optional "updatedAt": String,
    }

    /// Objects that match a query.
    Results open { "results": [], "count": 0 } {
        /// The objects, or with `explain` the plan of the query.
        required "results": AnyJson,
        /// With `count`: number of matching objects, regardless of `limit` and `skip`.
        optional "count": i64,
    }

    /// The values that the server set when it created the object.
    Created open { "objectId": "Ed1nuqPvcm", "createdAt": "2020-02-03T04:05:06.789Z" } {
        /// The object's id.
        optional "objectId": String,
        /// When the object was created, ISO 8601.
        optional "createdAt": String,
    }

    /// The values that the server set when it updated the object, including results of operations.
    Updated open { "updatedAt": "2020-02-03T04:05:06.789Z" } {
        /// When the object was updated, ISO 8601.
        optional "updatedAt": String,
    }

    /// A user to sign up: username and password, or `authData` of an identity provider. Further fields are stored.
    SignUp open { "username": "ann", "password": "correct horse", "email": "ann@example.com" } {
        /// Username; unique, ignoring case.
        optional "username": String,
        /// Password.
        optional "password": String,
        /// Email address; unique, ignoring case.
        optional "email": String,
        /// Data of identity providers, by the name of the provider.
        optional "authData": AnyJson,
    }

    /// The user that was signed up.
    SignedUp open { "objectId": "Ed1nuqPvcm", "createdAt": "2020-02-03T04:05:06.789Z", "sessionToken": "r:0123456789abcdef0123456789abcdef" } {
        /// The user's id.
        optional "objectId": String,
        /// When the user signed up, ISO 8601.
        optional "createdAt": String,
        /// Token of the new session.
        optional "sessionToken": String,
    }

    /// Credentials of a log in.
    LogIn closed { "username": "ann", "password": "correct horse" } {
        /// Username or email address.
        optional "username": String,
        /// Email address.
        optional "email": String,
        /// Password.
        optional "password": String,
        /// Data of additional factors, by the name of the provider.
        optional "authData": AnyJson,
    }

    /// A user.
    User open { "objectId": "Ed1nuqPvcm", "username": "ann", "createdAt": "2020-02-03T04:05:06.789Z", "updatedAt": "2020-02-03T04:05:06.789Z" } {
        /// The user's id.
        optional "objectId": String,
        /// The username.
        optional "username": String,
        /// Email address; by default visible to the user only.
        optional "email": String,
        /// Session token, in responses to log in and to requests for the current user.
        optional "sessionToken": String,
        /// When the user signed up, ISO 8601.
        optional "createdAt": String,
        /// When the object was last updated, ISO 8601.
        optional "updatedAt": String,
    }

    /// The user to log in as.
    LogInAs closed { "userId": "Ed1nuqPvcm" } {
        /// The user's id.
        optional "userId": String,
    }

    /// An email address.
    Mail closed { "email": "ann@example.com" } {
        /// The email address.
        optional "email": String,
    }

    /// A request for challenges of identity providers.
    ChallengeRequest closed { "username": "ann", "password": "correct horse", "challengeData": { "mfa": {} } } {
        /// Username.
        optional "username": String,
        /// Email address.
        optional "email": String,
        /// Password.
        optional "password": String,
        /// Instead of username and password: the user's id at one identity provider.
        optional "authData": AnyJson,
        /// Data for the challenge, by the name of the provider.
        optional "challengeData": AnyJson,
    }

    /// Challenges.
    Challenge open { "challengeData": {} } {
        /// Challenges by the name of the provider.
        optional "challengeData": AnyJson,
    }

    /// A session.
    Session open { "objectId": "mtRBHYJcGQ", "sessionToken": "r:0123456789abcdef0123456789abcdef", "createdAt": "2020-02-03T04:05:06.789Z", "updatedAt": "2020-02-03T04:05:06.789Z" } {
        /// The session's id.
        optional "objectId": String,
        /// The session token.
        optional "sessionToken": String,
        /// Pointer to the user.
        optional "user": AnyJson,
        /// The action and the identity provider that created the session.
        optional "createdWith": AnyJson,
        /// When the session expires, as Date.
        optional "expiresAt": AnyJson,
        /// The installation that created the session.
        optional "installationId": String,
    }

    /// A class: its fields, permissions and indexes.
    ClassSchema closed { "className": "GameScore", "fields": { "score": { "type": "Number" } } } {
        /// Name of the class.
        optional "className": String,
        /// Fields by name: `type`, `targetClass`, `required`, `defaultValue`.
        optional "fields": AnyJson,
        /// Permissions by operation.
        optional "classLevelPermissions": AnyJson,
        /// Indexes by name: field → 1, -1, `text`, `2dsphere`.
        optional "indexes": AnyJson,
    }

    /// All classes.
    ClassSchemas closed { "results": [{ "className": "GameScore", "fields": { "score": { "type": "Number" } } }] } {
        /// The classes.
        required "results": Vec<ClassSchema>,
    }

    /// Several requests.
    Batch closed { "requests": [{ "method": "POST", "path": "/parse/classes/GameScore", "body": { "score": 1337 } }] } {
        /// The requests.
        required "requests": Vec<BatchPart>,
        /// Whether the requests run in a transaction: all succeed or none has an effect.
        optional "transaction": bool,
    }

    /// One request of a batch.
    BatchPart closed { "method": "POST", "path": "/parse/classes/GameScore", "body": { "score": 1337 } } {
        /// HTTP method.
        required "method": String,
        /// Path, including the mount path.
        required "path": String,
        /// Body.
        optional "body": AnyJson,
    }

    /// Response to one request of a batch: either `success` or `error`.
    BatchEntry closed { "success": { "objectId": "Ed1nuqPvcm", "createdAt": "2020-02-03T04:05:06.789Z" } } {
        /// Body of the response.
        optional "success": AnyJson,
        /// The error.
        optional "error": Error,
    }

    /// Health of the server.
    Health closed { "status": "ok" } {
        /// `ok`, or the problem.
        required "status": String,
    }

    /// Features of the server.
    ServerInfo open { "features": {}, "parseServerVersion": "9.10.0" } {
        /// Features by area.
        required "features": AnyJson,
        /// Version of parse-server that this server is compatible with.
        required "parseServerVersion": String,
    }

    /// The application's configuration.
    Config open { "params": { "welcome": "Hello" }, "masterKeyOnly": {} } {
        /// Values by parameter name.
        optional "params": AnyJson,
        /// Parameters that only the master key may read, by name.
        optional "masterKeyOnly": AnyJson,
    }

    /// The result of a request that returns no object.
    Outcome open { "result": true } {
        /// The result.
        optional "result": AnyJson,
    }

    /// The job to start.
    JobStart closed { "jobName": "nightly" } {
        /// Name of the job.
        optional "jobName": String,
    }

    /// A push message.
    Push open { "channels": ["news"], "data": { "alert": "Hello" } } {
        /// Channels whose subscribers receive the message.
        optional "channels": Vec<String>,
        /// Query for the installations that receive the message.
        optional "where": AnyJson,
        /// The message.
        optional "data": AnyJson,
    }
}
