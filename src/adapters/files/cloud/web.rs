//! The HTTP client of object stores: the one the server has already, and a header on what makes an object.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use object_store::aws::{AwsAuthorizer, AwsCredentialProvider};
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse, HttpResponseBody, HttpService,
};
use object_store::{BackoffConfig, ClientOptions, RetryConfig};

/// How often and how long a failed request is tried again.
pub(super) fn retries() -> RetryConfig {
    RetryConfig { backoff: BackoffConfig::default(), max_retries: 3, retry_timeout: Duration::from_secs(20) }
}

/// Signs requests again after a header was added; S3 refuses its headers unsigned.
#[derive(Debug, Clone)]
pub(super) struct Signature {
    /// Known once the store is built.
    pub credentials: Arc<OnceLock<AwsCredentialProvider>>,
    pub region: String,
}

/// Makes the client.
#[derive(Debug, Clone, Default)]
pub(super) struct Web {
    /// The header of requests that make an object: who may read it.
    pub access: Option<(HeaderName, HeaderValue)>,
    pub signature: Option<Signature>,
}

impl HttpConnector for Web {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(5))
            .read_timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("reparse/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| object_store::Error::Generic { store: "HTTP", source: error.into() })?;
        Ok(HttpClient::new(Service { client, web: self.clone() }))
    }
}

#[derive(Debug)]
struct Service {
    client: reqwest::Client,
    web: Web,
}

/// Whether a request makes an object: a whole one, or the beginning of one in parts.
fn makes_object(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    match *request.method() {
        Method::PUT => !query.contains("partNumber="),
        Method::POST => query.split('&').any(|pair| pair == "uploads" || pair == "uploads="),
        _ => false,
    }
}

impl Web {
    async fn allow(&self, request: &mut HttpRequest) -> Result<(), HttpError> {
        let Some((name, value)) = &self.access else { return Ok(()) };
        if !makes_object(request) {
            return Ok(());
        }
        request.headers_mut().insert(name, value.clone());
        let Some(Signature { credentials, region }) = &self.signature else { return Ok(()) };
        let Some(credentials) = credentials.get() else { return Ok(()) };
        let failed = |error| HttpError::new(HttpErrorKind::Unknown, error);
        let credential = credentials.get_credential().await.map_err(failed)?;
        let digest = request.headers().get("x-amz-content-sha256").and_then(|digest| from_hex(digest.as_bytes()));
        AwsAuthorizer::new(&credential, "s3", region)
            .with_sign_payload(digest.is_some())
            .try_authorize(request, digest.as_ref().map(<[u8; 32]>::as_slice))
            .map_err(failed)
    }
}

/// The bytes that 64 hexadecimal digits stand for.
fn from_hex(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, []) = text.as_chunks::<2>() else { return None };
    let bytes: Option<Vec<u8>> = pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect();
    bytes?.try_into().ok()
}

#[async_trait]
impl HttpService for Service {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        self.web.allow(&mut request).await?;
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string().parse().map_err(|error| HttpError::new(HttpErrorKind::Request, error))?;
        let mut request = reqwest::Request::new(parts.method, url);
        *request.headers_mut() = parts.headers;
        *request.body_mut() = Some(reqwest::Body::wrap(body));
        let answer: http::Response<reqwest::Body> = self.client.execute(request).await.map_err(kind)?.into();
        Ok(answer.map(|body| HttpResponseBody::new(body.map_err(kind))))
    }
}

/// What went wrong, in the words of `object_store`, which decides by them what it tries again.
fn kind(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else if error.is_decode() {
        HttpErrorKind::Decode
    } else if error.is_request() {
        HttpErrorKind::Request
    } else if error.is_body() {
        HttpErrorKind::Interrupted
    } else {
        HttpErrorKind::Unknown
    };
    HttpError::new(kind, error.without_url())
}
