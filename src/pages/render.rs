//! Sends pages, as content or as redirects, with their headers.

use std::path::Path;
use std::sync::Arc;

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::web::Redirect;
use poem::{IntoResponse as _, Response};

use super::flows::{PageRequest, locale};
use super::form::{self, Form};
use super::{Page, Pages, built_in, files};
use crate::domain::features::users::mail;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::Context;
use crate::error::{ParseError, Result};
use crate::model::template::{Escape, Values, render};
use crate::model::url_component;
use crate::rest::call::Call;
use crate::rest::route::Outcome;

/// How a page is sent to the browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// As the response itself, unless `pages.forceRedirect` is on.
    Content,
    /// As a redirect.
    Redirect,
}

impl Pages {
    /// Sends a page: a redirect to its custom URL, the custom file, or the built-in page.
    ///
    /// # Errors
    /// What the function of the app that gives values throws.
    pub(super) async fn page(
        &self,
        request: &PageRequest<'_>,
        page: Page,
        values: &[(&str, &str)],
        delivery: Delivery,
    ) -> Result<Response> {
        let options = &self.app.options;
        let parameters = self.parameters(request, values);
        let own = page.own_url(&options.mail.pages.custom_urls, &options.mail.custom_pages);
        let locale = request.locale.as_deref().filter(|_| options.mail.pages.enable_localization);
        let mut response = if own.is_some() || delivery == Delivery::Redirect || options.mail.pages.force_redirect {
            let base = own.map_or_else(
                || {
                    let folder = self.localized(page, locale).map(|folder| format!("{folder}/")).unwrap_or_default();
                    format!("{}/{}/{folder}{}", request.public_url, self.endpoint, page.file())
                },
                str::to_owned,
            );
            redirect(&base, &parameters)
        } else {
            self.content(request.cx, page.file(), Some(page), locale, &parameters).await?
        };
        self.add_parameter_headers(&mut response, &parameters);
        Ok(response)
    }

    /// What every page is told, with values of its own.
    fn parameters<'a>(
        &'a self,
        request: &'a PageRequest<'_>,
        values: &[(&'a str, &'a str)],
    ) -> Vec<(&'a str, &'a str)> {
        let mut parameters: Vec<(&str, &str)> =
            vec![("appId", &self.app.options.keys.app_id), ("appName", request.app_name)];
        parameters.extend_from_slice(values);
        parameters.push(("publicServerUrl", request.public_url));
        if let Some(locale) = &request.locale {
            parameters.push(("locale", locale));
        }
        parameters
    }

    /// Sends a file of the directory of custom pages, or a page by the name of its file.
    ///
    /// # Errors
    /// As [`Pages::page`].
    pub(super) async fn named(
        &self,
        request: &PageRequest<'_>,
        file: &str,
        values: &[(&str, &str)],
    ) -> Result<Response> {
        let options = &self.app.options.mail.pages;
        let parameters = self.parameters(request, values);
        let locale = request.locale.as_deref().filter(|_| options.enable_localization);
        let mut response = if options.force_redirect {
            let folder = locale.and_then(|locale| files::localized_folder(self.folder.as_deref()?, locale, file));
            let folder = folder.map(|folder| format!("{folder}/")).unwrap_or_default();
            redirect(&format!("{}/{}/{folder}{file}", request.public_url, self.endpoint), &parameters)
        } else {
            let page = Page::ALL.into_iter().find(|page| page.file() == file);
            self.content(request.cx, file, page, locale, &parameters).await?
        };
        self.add_parameter_headers(&mut response, &parameters);
        Ok(response)
    }

    /// Adds the parameters as headers, for pages that are shown in frames or apps.
    fn add_parameter_headers(&self, response: &mut Response, parameters: &[(&str, &str)]) {
        let encode = self.app.options.mail.pages.encode_page_param_headers;
        for (name, value) in parameters {
            let text = if encode { url_component::encode(value) } else { (*value).to_owned() };
            // Browsers read headers as Latin-1.
            let bytes: Option<Vec<u8>> = text.chars().map(|letter| u8::try_from(u32::from(letter)).ok()).collect();
            let value = bytes
                .and_then(|bytes| HeaderValue::from_bytes(&bytes).ok())
                .or_else(|| HeaderValue::try_from(url_component::encode(value)).ok());
            let name = HeaderName::try_from(format!("x-parse-page-param-{}", name.to_ascii_lowercase()));
            if let (Ok(name), Some(value)) = (name, value) {
                response.headers_mut().insert(name, value);
            }
        }
    }

    /// The directory that contains the page in the language of a locale.
    fn localized(&self, page: Page, locale: Option<&str>) -> Option<String> {
        let locale = locale?;
        match &self.folder {
            Some(folder) => files::localized_folder(folder, locale, page.file()),
            None => built_in::speaks(locale).then(|| locale.to_owned()),
        }
    }

    /// `page`: what stands for a file that does not exist.
    async fn content(
        &self,
        cx: &Context,
        file: &str,
        page: Option<Page>,
        locale: Option<&str>,
        parameters: &[(&str, &str)],
    ) -> Result<Response> {
        let own = self.folder.as_ref().and_then(|folder| {
            let place = locale.and_then(|locale| files::localized_folder(folder, locale, file));
            let path = place.map_or_else(|| file.to_owned(), |place| format!("{place}/{file}"));
            files::text(folder, &path)
        });
        let mut values = self.values(cx, locale, parameters).await?;
        for (name, value) in parameters {
            values.set(*name, *value);
        }
        Ok(self.html(own.as_deref(), page, locale, &values))
    }

    /// A filled page. Built-in pages get a content security policy; custom pages do not.
    fn html(&self, own: Option<&str>, page: Option<Page>, locale: Option<&str>, values: &Values) -> Response {
        let html = match (own, page) {
            (Some(own), _) => render(own, values, Escape::Html),
            (None, Some(page)) => {
                let mut values = values.clone();
                values.set("pagesEndpoint", self.endpoint.as_str());
                values.set("appIdInUrl", url_component::encode(&self.app.options.keys.app_id));
                render(&built_in::template(page, locale), &values, Escape::Html)
            }
            (None, None) => return not_found(),
        };
        let mut response = page_response(StatusCode::OK, "text/html; charset=utf-8", html.into_bytes());
        if own.is_none() {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, self.security_policy.clone());
        }
        response
    }

    /// A file of the directory of custom pages, or a built-in page.
    pub(super) async fn file(self: Arc<Self>, mut call: Call) -> Outcome {
        let request = call.take_request().ok_or_else(ParseError::unknown_route)?;
        let form = Form::query(&call.query);
        let asked = locale(&request, &form, &form);
        let locale = asked.as_deref().filter(|_| self.app.options.mail.pages.enable_localization);
        let path = call.path("file")?;
        let segments: Vec<&str> = path.split('/').collect();
        let page = |name: &str| Page::ALL.into_iter().find(|page| page.file() == name);
        let (page, spoken) = match segments.as_slice() {
            [name] => (page(name), locale),
            [folder, name] if built_in::speaks(folder) && mail::is_locale(folder) => (page(name), Some(*folder)),
            _ => (None, locale),
        };
        let own = match &self.folder {
            Some(folder) if Path::new(path).extension().is_some_and(|extension| extension == "html") => {
                files::text(folder, path)
            }
            Some(folder) => match files::bytes(folder, path).await {
                Some((content_type, bytes)) => return Ok(page_response(StatusCode::OK, content_type, bytes)),
                None => return Ok(not_found()),
            },
            None if path == "custom_json.html" => Some(built_in::EXAMPLE.to_owned()),
            None => None,
        };
        if own.is_none() && page.is_none() {
            return Ok(not_found());
        }
        let options = &self.app.options;
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        let of_app = page.is_some() || form.get("appId") == Some(options.keys.app_id.as_str());
        if of_app && let (Some(app_name), Some(url)) = (&options.server.app_name, &options.server.public_server_url) {
            parameters.push(("appId", options.keys.app_id.as_str()));
            parameters.push(("appName", app_name.as_str()));
            parameters.push(("publicServerUrl", url.trim_end_matches('/')));
            parameters.push(("token", form.get("token").unwrap_or_default()));
        }
        if let Some(locale) = &asked {
            parameters.push(("locale", locale.as_str()));
        }
        let mut values = self.values(&call.cx, locale, &parameters).await?;
        for (name, value) in &parameters {
            values.set(*name, *value);
        }
        let mut response = self.html(own.as_deref(), page, spoken, &values);
        if let Some(locale) = &asked {
            self.add_parameter_headers(&mut response, &[("locale", locale.as_str())]);
        }
        Ok(response)
    }
}

/// The response if the page does not exist.
pub fn not_found() -> Response {
    page_response(StatusCode::NOT_FOUND, "text/html; charset=utf-8", b"Not found.".to_vec())
}

fn page_response(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response {
    let mut response = Response::builder().status(status).body(body);
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // A token in the URL must not be sent to other hosts.
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Allows no scripts and nothing from other hosts. Forms may be sent to this server and, by redirects, to custom pages.
pub fn security_policy(app: &App) -> HeaderValue {
    let options = &app.options;
    let mut targets = vec!["'self'".to_owned()];
    let own =
        Page::ALL.iter().filter_map(|page| page.own_url(&options.mail.pages.custom_urls, &options.mail.custom_pages));
    for url in own.chain(options.server.public_server_url.as_deref()) {
        targets.extend(origin_of(url).filter(|origin| !targets.contains(origin)));
    }
    let frame = options.mail.custom_pages.parse_frame_url.as_deref().and_then(origin_of);
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action {}; frame-ancestors {}",
        targets.join(" "),
        frame.as_deref().unwrap_or("'none'")
    );
    HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'"))
}

/// Scheme and authority of a URL.
fn origin_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())?;
    let fits = authority.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_:[]*".contains(letter));
    fits.then(|| format!("{scheme}://{authority}"))
}

fn redirect(base: &str, parameters: &[(&str, &str)]) -> Response {
    let mut url = base.to_owned();
    for (index, (name, value)) in parameters.iter().enumerate() {
        url.push(if index == 0 && !base.contains('?') { '?' } else { '&' });
        url.push_str(name);
        url.push('=');
        url.push_str(&form::encode(value));
    }
    let mut response = Redirect::see_other(&url).into_response();
    let text = format!("Found. Redirecting to {url}");
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response.set_body(text);
    response
}
