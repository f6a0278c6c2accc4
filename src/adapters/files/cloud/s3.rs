//! Amazon S3 and what speaks like it, with the options of npm `@parse/s3-files-adapter` (5.3).

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::signer::Signer as _;

use super::super::settings::Settings;
use super::super::{FileError, Result};
use super::metadata::Bounds;
use super::web::{Signature, Web, retries};
use super::{Cloud, Locate, Traits};
use crate::model::url_component;

/// Where Amazon's own tools look for credentials, in the environment.
const VARIABLES: [(&str, AmazonS3ConfigKey); 7] = [
    ("AWS_ACCESS_KEY_ID", AmazonS3ConfigKey::AccessKeyId),
    ("AWS_SECRET_ACCESS_KEY", AmazonS3ConfigKey::SecretAccessKey),
    ("AWS_SESSION_TOKEN", AmazonS3ConfigKey::Token),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", AmazonS3ConfigKey::WebIdentityTokenFile),
    ("AWS_ROLE_ARN", AmazonS3ConfigKey::RoleArn),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", AmazonS3ConfigKey::ContainerCredentialsRelativeUri),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI", AmazonS3ConfigKey::ContainerCredentialsFullUri),
];
/// Seconds a signed address is good for, unless `presignedUrlExpires` says otherwise.
const EXPIRES: u64 = 900;

/// A bucket from its settings.
///
/// # Errors
/// A text for the person who configured it.
pub fn open(mut settings: Settings<'_>) -> Result<Cloud, String> {
    settings.refuse("generateKey", "JavaScript functions cannot be run by this store")?;
    settings.refuse("validateFilename", "JavaScript functions cannot be run by this store")?;
    // Version 4 is the only signature there is; buckets are not made.
    settings.ignore(&["signatureVersion"]);
    let mut overrides = settings.inner("s3overrides")?;
    let bucket = overrides.inner("params")?.text("Bucket", "")?;
    let bucket = bucket.map_or_else(|| settings.required("bucket", "S3_BUCKET"), Ok)?;
    settings.ignore(&["bucket"]);
    let region = settings.text("region", "S3_REGION")?;
    let region = overrides.text("region", "")?.or(region).unwrap_or_else(|| "us-east-1".to_owned());
    let prefix = settings.text("bucketPrefix", "S3_BUCKET_PREFIX")?.unwrap_or_default();
    let direct = settings.flag("directAccess", "S3_DIRECT_ACCESS")?;
    let acl = settings.text("fileAcl", "S3_FILE_ACL")?;
    let cache_control = settings.text("globalCacheControl", "S3_GLOBAL_CACHE_CONTROL")?;
    let encryption = settings.text("ServerSideEncryption", "")?;
    let addresses = Addresses {
        base: settings.text("baseUrl", "S3_BASE_URL")?.map(|url| url.trim_end_matches('/').to_owned()),
        base_direct: settings.flag("baseUrlDirect", "S3_BASE_URL_DIRECT")?,
        presigned: settings.flag("presignedUrl", "S3_PRESIGNED_URL")?,
        expires: Duration::from_secs(
            settings.number("presignedUrlExpires", "S3_PRESIGNED_URL_EXPIRES")?.unwrap_or(EXPIRES),
        ),
        bucket: bucket.clone(),
        prefix: prefix.clone(),
    };

    let acl = match acl.as_deref() {
        Some("none") => None,
        Some(acl) => Some(acl),
        None => direct.then_some("public-read"),
    };
    let access = acl.map(HeaderValue::from_str).transpose();
    let access = access.map_err(|_| "filesAdapter @parse/s3-files-adapter: option fileAcl is no ACL".to_owned())?;
    let credentials = Arc::new(OnceLock::new());
    let web = Web {
        access: access.map(|access| (HeaderName::from_static("x-amz-acl"), access)),
        signature: Some(Signature { credentials: Arc::clone(&credentials), region: region.clone() }),
    };

    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket)
        .with_region(&region)
        .with_retry(retries())
        .with_http_connector(web);
    for (variable, key) in VARIABLES {
        if let Some(value) = settings.variable(variable) {
            builder = builder.with_config(key, value);
        }
    }
    let mut given = settings.inner("credentials")?;
    let mut overriding = overrides.inner("credentials")?;
    for keys in [&mut given, &mut overriding] {
        if let (Some(id), Some(secret)) = (keys.text("accessKeyId", "")?, keys.text("secretAccessKey", "")?) {
            builder = builder.with_access_key_id(id).with_secret_access_key(secret);
        }
        if let Some(token) = keys.text("sessionToken", "")? {
            builder = builder.with_token(token);
        }
    }
    let (id, secret) = (settings.text("accessKey", "S3_ACCESS_KEY")?, settings.text("secretKey", "S3_SECRET_KEY")?);
    if let (Some(id), Some(secret)) = (id, secret) {
        builder = builder.with_access_key_id(id).with_secret_access_key(secret);
    }
    if let Some(encryption) = encryption {
        if !["AES256", "aws:kms"].contains(&encryption.as_str()) {
            return Err("filesAdapter @parse/s3-files-adapter: option ServerSideEncryption must be AES256 or aws:kms"
                .to_owned());
        }
        let key: AmazonS3ConfigKey = "aws_server_side_encryption".parse().map_err(|error| format!("{error}"))?;
        builder = builder.with_config(key, encryption);
    }
    let by_path = overrides.flag("forcePathStyle", "")? | overrides.flag("s3ForcePathStyle", "")?;
    builder = match overrides.text("endpoint", "")? {
        Some(endpoint) => at_endpoint(builder, &endpoint, &bucket, by_path)?,
        None => builder.with_virtual_hosted_style_request(!by_path && !bucket.contains('.')),
    };
    for inner in [given, overriding, overrides, settings] {
        inner.finish()?;
    }
    let objects = builder.build().map_err(|error| format!("filesAdapter @parse/s3-files-adapter: {error}"))?;
    let _ = credentials.set(Arc::clone(objects.credentials()));
    let objects = Arc::new(objects);
    let locate = direct.then(|| addresses.locate(Arc::clone(&objects)));
    Ok(Cloud { objects, traits: Traits { prefix, cache_control, bounds: Bounds::S3, locate } })
}

/// A server that is not Amazon's. Like Amazon's own client, a bucket is part of the host name unless that is an address.
fn at_endpoint(
    builder: AmazonS3Builder,
    endpoint: &str,
    bucket: &str,
    by_path: bool,
) -> Result<AmazonS3Builder, String> {
    let with_scheme = if endpoint.contains("://") { endpoint.to_owned() } else { format!("https://{endpoint}") };
    let wrong = |_| "filesAdapter @parse/s3-files-adapter: option s3overrides.endpoint is no address".to_owned();
    let mut url = reqwest::Url::parse(&with_scheme).map_err(wrong)?;
    let builder = builder.with_allow_http(url.scheme() == "http");
    let host = url.domain().filter(|host| *host != "localhost").map(|host| format!("{bucket}.{host}"));
    Ok(match host.filter(|_| !by_path) {
        Some(host) => {
            url.set_host(Some(&host)).map_err(wrong)?;
            builder.with_endpoint(url.as_str().trim_end_matches('/')).with_virtual_hosted_style_request(true)
        }
        None => builder.with_endpoint(url.as_str().trim_end_matches('/')).with_virtual_hosted_style_request(false),
    })
}

/// How clients reach objects when `directAccess` is on.
#[derive(Clone)]
struct Addresses {
    bucket: String,
    prefix: String,
    base: Option<String>,
    /// The base has the prefix in it.
    base_direct: bool,
    presigned: bool,
    expires: Duration,
}

impl Addresses {
    fn locate(self, objects: Arc<AmazonS3>) -> Locate {
        Box::new(move |name, path| {
            let (addresses, objects) = (self.clone(), Arc::clone(&objects));
            Box::pin(async move { addresses.of(&name, &path, &objects).await })
        })
    }

    async fn of(&self, name: &str, path: &Path, objects: &AmazonS3) -> Result<String> {
        let encoded = url_component::encode_path(name);
        let key = format!("{}{encoded}", self.prefix);
        let signed = if self.presigned {
            Some(objects.signed_url(Method::GET, path, self.expires).await.map_err(FileError::store)?)
        } else {
            None
        };
        Ok(match (&self.base, signed) {
            (None, Some(signed)) => signed.into(),
            (None, None) => format!("https://{}.s3.amazonaws.com/{key}", self.bucket),
            (Some(base), signed) => {
                let path = if self.base_direct { &encoded } else { &key };
                let query = signed.and_then(|signed| signed.query().map(|query| format!("?{query}")));
                format!("{base}/{path}{}", query.unwrap_or_default())
            }
        })
    }
}
