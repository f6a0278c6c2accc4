//! The forms of bodies and answers, as the document names them.
//!
//! These types hold nothing: a handler works with JSON, because every class has the fields its users gave it, and because
//! what is wrong with a body is for the domain to say, in Parse's words.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use serde_json::{Value as Json, json};

/// One property of a form.
struct Property {
    name: &'static str,
    description: &'static str,
    required: bool,
    schema: MetaSchemaRef,
}

/// Declares forms: name, whether further properties may come (`open`) or not (`closed`), an example, the properties.
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
    /// An error. `code` is Parse's; refusals at the level of HTTP have none.
    Error closed { "code": 101, "error": "Object not found." } {
        /// Parse's error code.
        optional "code": i32,
        /// What is wrong.
        required "error": String,
    }

    /// An empty object.
    Nothing closed {} {}

    /// Fields of an object. Typed values are objects with `__type` (`Date`, `Pointer`, `GeoPoint`, …), operations objects with `__op`.
    Fields open { "score": 1337, "playedAt": { "__type": "Date", "iso": "2020-02-03T04:05:06.789Z" } } {}

    /// An object of some class.
    ParseObject open { "objectId": "Ed1nuqPvcm", "createdAt": "2020-02-03T04:05:06.789Z", "updatedAt": "2020-02-03T04:05:06.789Z", "score": 1337 } {
        /// Identifies the object within its class.
        optional "objectId": String,
        /// When it was made, ISO 8601.
        optional "createdAt": String,
        /// When it was last changed, ISO 8601.
        optional "updatedAt": String,
    }

    /// Objects that match a query.
    Results open { "results": [], "count": 0 } {
        /// The objects, or with `explain` the plan of the query.
        required "results": AnyJson,
        /// How many there are without `limit` and `skip`, if `count` was asked for.
        optional "count": i64,
    }

    /// What the server decided when it made an object.
    Created open { "objectId": "Ed1nuqPvcm", "createdAt": "2020-02-03T04:05:06.789Z" } {
        /// The object's id.
        optional "objectId": String,
        /// When it was made, ISO 8601.
        optional "createdAt": String,
    }

    /// What the server decided when it changed an object; results of operations are among it.
    Updated open { "updatedAt": "2020-02-03T04:05:06.789Z" } {
        /// When it was changed, ISO 8601.
        optional "updatedAt": String,
    }

    /// A user to sign up: a name and a password, or `authData` of a provider. Further fields are stored.
    SignUp open { "username": "ann", "password": "correct horse", "email": "ann@example.com" } {
        /// Name to log in with; unique, whatever its case.
        optional "username": String,
        /// Password.
        optional "password": String,
        /// E-mail address; unique, whatever its case.
        optional "email": String,
        /// Data of other providers, by their names.
        optional "authData": AnyJson,
    }

    /// A user that has been signed up.
    SignedUp open { "objectId": "Ed1nuqPvcm", "createdAt": "2020-02-03T04:05:06.789Z", "sessionToken": "r:0123456789abcdef0123456789abcdef" } {
        /// The user's id.
        optional "objectId": String,
        /// When the user signed up, ISO 8601.
        optional "createdAt": String,
        /// Token of the new session.
        optional "sessionToken": String,
    }

    /// Who logs in.
    LogIn closed { "username": "ann", "password": "correct horse" } {
        /// Name, or e-mail address.
        optional "username": String,
        /// E-mail address.
        optional "email": String,
        /// Password.
        optional "password": String,
        /// Data of additional factors, by their providers' names.
        optional "authData": AnyJson,
    }

    /// A user.
    User open { "objectId": "Ed1nuqPvcm", "username": "ann", "createdAt": "2020-02-03T04:05:06.789Z", "updatedAt": "2020-02-03T04:05:06.789Z" } {
        /// The user's id.
        optional "objectId": String,
        /// The user's name.
        optional "username": String,
        /// E-mail address; only the user sees it unless configured otherwise.
        optional "email": String,
        /// Token of a session: after a log in, and for the user who asks for itself.
        optional "sessionToken": String,
        /// When the user signed up, ISO 8601.
        optional "createdAt": String,
        /// When it was last changed, ISO 8601.
        optional "updatedAt": String,
    }

    /// A user to log in as.
    LogInAs closed { "userId": "Ed1nuqPvcm" } {
        /// The user's id.
        optional "userId": String,
    }

    /// An e-mail address.
    Mail closed { "email": "ann@example.com" } {
        /// The address.
        optional "email": String,
    }

    /// A request for challenges of authentication providers.
    ChallengeRequest closed { "username": "ann", "password": "correct horse", "challengeData": { "mfa": {} } } {
        /// Name of the user who logs in.
        optional "username": String,
        /// E-mail address of the user who logs in.
        optional "email": String,
        /// Password of that user.
        optional "password": String,
        /// Instead of name and password: the id at one provider that the user logs in with.
        optional "authData": AnyJson,
        /// Data per provider.
        optional "challengeData": AnyJson,
    }

    /// Challenges.
    Challenge open { "challengeData": {} } {
        /// Challenge per provider.
        optional "challengeData": AnyJson,
    }

    /// A session.
    Session open { "objectId": "mtRBHYJcGQ", "sessionToken": "r:0123456789abcdef0123456789abcdef", "createdAt": "2020-02-03T04:05:06.789Z", "updatedAt": "2020-02-03T04:05:06.789Z" } {
        /// The session's id.
        optional "objectId": String,
        /// Its token.
        optional "sessionToken": String,
        /// Pointer to its user.
        optional "user": AnyJson,
        /// How it came about.
        optional "createdWith": AnyJson,
        /// When it ends, as Date.
        optional "expiresAt": AnyJson,
        /// The installation it was made on.
        optional "installationId": String,
    }

    /// A class: its fields, permissions and indexes.
    ClassSchema closed { "className": "GameScore", "fields": { "score": { "type": "Number" } } } {
        /// Name of the class.
        optional "className": String,
        /// Fields by name: `type`, `targetClass`, `required`, `defaultValue`.
        optional "fields": AnyJson,
        /// Who may do what.
        optional "classLevelPermissions": AnyJson,
        /// Indexes by name: field → 1, -1, `text`, `2dsphere`.
        optional "indexes": AnyJson,
    }

    /// All classes.
    ClassSchemas closed { "results": [{ "className": "GameScore", "fields": { "score": { "type": "Number" } } }] } {
        /// The classes.
        required "results": Vec<ClassSchema>,
    }

    /// Several requests in one.
    Batch closed { "requests": [{ "method": "POST", "path": "/parse/classes/GameScore", "body": { "score": 1337 } }] } {
        /// The requests.
        required "requests": Vec<BatchPart>,
        /// All or nothing.
        optional "transaction": bool,
    }

    /// One request of a batch.
    BatchPart closed { "method": "POST", "path": "/parse/classes/GameScore", "body": { "score": 1337 } } {
        /// HTTP method.
        required "method": String,
        /// Path, mount path included.
        required "path": String,
        /// Body.
        optional "body": AnyJson,
    }

    /// Answer to one request of a batch: one of the two.
    BatchEntry closed { "success": { "objectId": "Ed1nuqPvcm", "createdAt": "2020-02-03T04:05:06.789Z" } } {
        /// Body of the answer.
        optional "success": AnyJson,
        /// The error.
        optional "error": Error,
    }

    /// Whether the server is well.
    Health closed { "status": "ok" } {
        /// `ok`, or what is wrong.
        required "status": String,
    }

    /// What the server can do.
    ServerInfo open { "features": {}, "parseServerVersion": "9.10.0" } {
        /// Features by area.
        required "features": AnyJson,
        /// Version of parse-server whose behaviour this server has.
        required "parseServerVersion": String,
    }

    /// The application's configuration.
    Config open { "params": { "welcome": "Hello" }, "masterKeyOnly": {} } {
        /// Values by name.
        optional "params": AnyJson,
        /// Which of them only the master key may read.
        optional "masterKeyOnly": AnyJson,
    }

    /// The outcome of a request that gives no object.
    Outcome open { "result": true } {
        /// The result.
        optional "result": AnyJson,
    }

    /// Names a job to start.
    JobStart closed { "jobName": "nightly" } {
        /// The job's name.
        optional "jobName": String,
    }

    /// A push message.
    Push open { "channels": ["news"], "data": { "alert": "Hello" } } {
        /// Channels whose installations get it.
        optional "channels": Vec<String>,
        /// Query for installations that get it.
        optional "where": AnyJson,
        /// The message.
        optional "data": AnyJson,
    }
}
