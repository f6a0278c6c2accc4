//! Google Cloud Storage, with the options of npm `@parse/gcs-files-adapter` (2.1).

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use object_store::gcp::GoogleCloudStorageBuilder;

use super::super::Result;
use super::super::settings::Settings;
use super::metadata::Bounds;
use super::web::{Web, retries};
use super::{Cloud, Locate, Traits};
use crate::model::url_component;

/// A bucket from its settings. Without a key file the machine's own account is used.
///
/// # Errors
/// A text for the person who configured it.
pub fn open(mut settings: Settings<'_>) -> Result<Cloud, String> {
    let bucket = settings.required("bucket", "GCS_BUCKET")?;
    let prefix = settings.text("bucketPrefix", "GCS_BUCKET_PREFIX")?.unwrap_or_default();
    let direct = settings.flag("directAccess", "GCS_DIRECT_ACCESS")?;
    let key_file = settings.text("keyFilename", "GCP_KEYFILE_PATH")?;
    let endpoint = settings.text("apiEndpoint", "")?;
    // The key file names its project.
    settings.ignore(&["projectId"]);
    let access = (HeaderName::from_static("x-goog-acl"), HeaderValue::from_static("public-read"));
    let web = Web { access: direct.then_some(access), signature: None };
    let mut builder =
        GoogleCloudStorageBuilder::new().with_bucket_name(&bucket).with_retry(retries()).with_http_connector(web);
    if let Some(file) = key_file {
        builder = builder.with_service_account_path(file);
    } else if let Some(file) = settings.variable("GOOGLE_APPLICATION_CREDENTIALS") {
        builder = builder.with_application_credentials(file);
    } else if endpoint.is_some() {
        // An emulator, which takes anybody.
        builder = builder.with_bearer_token("anonymous");
    }
    if let Some(endpoint) = endpoint {
        builder = builder.with_base_url(endpoint.trim_end_matches('/'));
    }
    settings.finish()?;
    let objects = builder.build().map_err(|error| format!("filesAdapter @parse/gcs-files-adapter: {error}"))?;
    let locate = direct.then(|| {
        let before = format!("https://storage.googleapis.com/{bucket}/{prefix}");
        let locate: Locate = Box::new(move |name, _| {
            let url = format!("{before}{}", url_component::encode_path(&name));
            Box::pin(async move { Ok(url) })
        });
        locate
    });
    Ok(Cloud {
        objects: Arc::new(objects),
        traits: Traits { prefix, cache_control: None, bounds: Bounds::GCS, locate },
    })
}
