//! Azure Blob Storage. The npm adapter `parse-server-azure-storage` (1.1) takes its settings one after the other; here
//! they have names: `accountName`, `container`, `accessKey`, `directAccess`.

use std::sync::Arc;

use object_store::azure::MicrosoftAzureBuilder;

use super::super::Result;
use super::super::settings::Settings;
use super::metadata::Bounds;
use super::web::{Web, retries};
use super::{Cloud, Locate, Traits};
use crate::model::url_component;

/// A container from its settings.
///
/// # Errors
/// A text for the person who configured it.
pub fn open(mut settings: Settings<'_>) -> Result<Cloud, String> {
    let account = settings.required("accountName", "AZURE_STORAGE_ACCOUNT")?;
    let container = settings.required("container", "AZURE_STORAGE_CONTAINER")?;
    let prefix = settings.text("bucketPrefix", "")?.unwrap_or_default();
    let direct = settings.flag("directAccess", "")?;
    let endpoint = settings.text("endpoint", "")?;
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(&account)
        .with_container_name(&container)
        .with_retry(retries())
        .with_http_connector(Web::default());
    if let Some(key) = settings.text("accessKey", "AZURE_STORAGE_ACCESS_KEY")? {
        builder = builder.with_access_key(key);
    }
    if let Some(endpoint) = &endpoint {
        let http = endpoint.starts_with("http://");
        builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned()).with_allow_http(http);
    }
    settings.finish()?;
    let objects = builder.build().map_err(|error| format!("filesAdapter azure: {error}"))?;
    let locate = direct.then(|| {
        let base = endpoint.unwrap_or_else(|| format!("https://{account}.blob.core.windows.net"));
        let before = format!("{}/{container}/{prefix}", base.trim_end_matches('/'));
        let locate: Locate = Box::new(move |name, _| {
            let url = format!("{before}{}", url_component::encode_path(&name));
            Box::pin(async move { Ok(url) })
        });
        locate
    });
    Ok(Cloud {
        objects: Arc::new(objects),
        traits: Traits { prefix, cache_control: None, bounds: Bounds::AZURE, locate },
    })
}
