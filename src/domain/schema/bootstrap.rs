//! Creates the classes `_User`, `_Role` and `_Idempotency` and their indexes at start. Names and options are
//! parse-server's, so that both servers can use one database (`docs/storage.md`).

use indexmap::IndexMap;
use serde_json::json;

use crate::config::Options;
use crate::domain::kernel::system_classes;
use crate::model::columns;
use crate::model::names::{self, ClassName};
use crate::model::schema::{ClassSchema, IndexKeys};
use crate::storage::{IndexSpec, Result, Storage, StorageError};

/// Creates what is missing, and writes the list of existing indexes into the schema document of each class.
///
/// # Errors
/// If the store cannot be read or written.
pub async fn prepare(storage: &dyn Storage, options: &Options) -> Result<()> {
    for name in [names::USER, names::ROLE] {
        let mut schema = ClassSchema::new(ClassName::unchecked(name));
        system_classes::add_default_columns(&mut schema);
        schema.fields.shift_remove("ACL");
        schema.fields.shift_remove("password");
        match storage.create_class(&schema).await {
            Ok(()) | Err(StorageError::Duplicate { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    for (class, indexes) in indexes(options) {
        let mut schema = ClassSchema::new(ClassName::unchecked(class.as_str()));
        system_classes::add_default_columns(&mut schema);
        storage.create_indexes(&schema, &indexes).await?;
    }
    for class in storage.classes().await? {
        let real = storage.indexes(&class.name).await?;
        if !real.is_empty() && real != class.indexes {
            match storage.set_listed_indexes(&class.name, &real).await {
                // The list is only shown. A server that does not start for it could not even delete anything.
                Err(StorageError::DiskFull(error)) => {
                    tracing::error!(class = class.name.as_str(), %error, "cannot list the indexes");
                }
                listed => listed?,
            }
        }
    }
    Ok(())
}

/// The indexes for these options, by class.
#[must_use]
pub fn indexes(options: &Options) -> IndexMap<String, Vec<IndexSpec>> {
    let switches = &options.database.driver;
    let mut user: Vec<IndexSpec> = Vec::new();
    let case_blind = !options.database.enable_collation_case_comparison;
    if switches.create_index_user_username {
        user.push(IndexSpec { unique: true, ..sparse("username_1", "username") });
    }
    if switches.create_index_user_username_case_insensitive && case_blind {
        user.push(IndexSpec { case_insensitive: true, ..sparse("case_insensitive_username", "username") });
    }
    if switches.create_index_user_email {
        user.push(IndexSpec { unique: true, ..sparse("email_1", "email") });
    }
    if switches.create_index_user_email_case_insensitive && case_blind {
        user.push(IndexSpec { case_insensitive: true, ..sparse("case_insensitive_email", "email") });
    }
    if switches.create_index_user_email_verify_token {
        user.push(sparse("_email_verify_token", "_email_verify_token"));
    }
    if switches.create_index_user_password_reset_token {
        user.push(sparse("_perishable_token", "_perishable_token"));
    }
    if switches.create_index_auth_data_uniqueness {
        let configured = options.users.auth.0.keys().map(String::as_str).filter(|provider| *provider != "anonymous");
        for provider in std::iter::once("anonymous").chain(configured).filter(|provider| names::is_identifier(provider))
        {
            let column = columns::of_provider(provider);
            user.push(IndexSpec { unique: true, ..sparse(&format!("{column}_id"), &format!("{column}.id")) });
        }
    }
    // On the embedded store a unique index refuses usernames that differ only in case.
    for field in ["username", "email"] {
        user.push(IndexSpec {
            unique: true,
            case_insensitive: true,
            embedded_only: true,
            ..sparse(&format!("{field}_case_blind"), field)
        });
    }
    let mut role = Vec::new();
    if switches.create_index_role_name {
        role.push(IndexSpec { unique: true, ..sparse("name_1", "name") });
    }
    let idempotency = vec![
        IndexSpec { unique: true, ..sparse("reqId_1", "reqId") },
        IndexSpec { expire_after_seconds: Some(0), ..sparse("ttl", "expire") },
    ];
    let mut all = IndexMap::from([
        (names::USER.to_owned(), user),
        (names::ROLE.to_owned(), role),
        (names::IDEMPOTENCY.to_owned(), idempotency),
    ]);
    if options.own.create_indexes {
        all.extend(own_indexes());
    }
    all
}

/// Indexes for frequent queries that scan the whole collection in parse-server.
fn own_indexes() -> [(String, Vec<IndexSpec>); 4] {
    let plain = |name: &str, field: &str| IndexSpec { sparse: false, ..sparse(name, field) };
    let user = ClassName::unchecked(names::ROLE);
    let join = |field: &str| {
        (
            user.join(field).as_str().to_owned(),
            vec![plain("reparse_owningId", "owningId"), plain("reparse_relatedId", "relatedId")],
        )
    };
    [
        (
            names::SESSION.to_owned(),
            vec![plain("reparse_session_token", "sessionToken"), plain("reparse_user", "user")],
        ),
        (
            names::INSTALLATION.to_owned(),
            vec![plain("reparse_installationId", "installationId"), plain("reparse_deviceToken", "deviceToken")],
        ),
        join("users"),
        join("roles"),
    ]
}

/// The indexes of the join class of any relation.
#[must_use]
pub fn join_indexes() -> Vec<IndexSpec> {
    let plain = |name: &str, field: &str| IndexSpec { sparse: false, ..sparse(name, field) };
    vec![plain("reparse_owningId", "owningId"), plain("reparse_relatedId", "relatedId")]
}

fn sparse(name: &str, field: &str) -> IndexSpec {
    let mut keys = IndexKeys::new();
    keys.insert(field.to_owned(), json!(1));
    IndexSpec {
        name: name.to_owned(),
        keys,
        unique: false,
        sparse: true,
        case_insensitive: false,
        expire_after_seconds: None,
        embedded_only: false,
    }
}
