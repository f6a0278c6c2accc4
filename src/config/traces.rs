//! Options of the traces for OpenTelemetry.

use url::Url;

use super::declare::Status::Supported;
use super::declare::{OptionValue as _, Reader, group};
use super::load::Environment;
use super::values::{Sampler, Secret};

group! {
    /// Traces for OpenTelemetry.
    pub struct Traces {
        /// URL to which spans are sent (OTLP over HTTP, in JSON), such as `http://localhost:4318/v1/traces`; none: nothing is traced. Also `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`, or `OTEL_EXPORTER_OTLP_ENDPOINT` without `/v1/traces`.
        endpoint: Option<String> = None, "endpoint", "REPARSE_TRACES_ENDPOINT", Supported;
        /// Headers of the requests to it: `name=value`, with commas between. Also `OTEL_EXPORTER_OTLP_TRACES_HEADERS` or `OTEL_EXPORTER_OTLP_HEADERS`.
        headers: Option<Secret> = None, "headers", "REPARSE_TRACES_HEADERS", Supported;
        /// Name of the server in traces. Also `OTEL_SERVICE_NAME`.
        service_name: String = "reparse".to_owned(), "serviceName", "REPARSE_TRACES_SERVICE_NAME", Supported;
        /// More about the server: `name=value`, with commas between. Also `OTEL_RESOURCE_ATTRIBUTES`.
        resource: Option<String> = None, "resource", "REPARSE_TRACES_RESOURCE", Supported;
        /// Which requests are traced, in OpenTelemetry's words; with `parentbased_`, a request with a `traceparent` is traced if its sender traces it. Also `OTEL_TRACES_SAMPLER`.
        sampler: Sampler = Sampler::ParentBasedAlwaysOn, "sampler", "REPARSE_TRACES_SAMPLER", Supported;
        /// The part of the requests that is traced, 0 to 1, where the sampler asks for one. Also `OTEL_TRACES_SAMPLER_ARG`.
        ratio: f64 = 1.0, "ratio", "REPARSE_TRACES_RATIO", Supported;
    }
}

/// Reads `name=value,…`, with percent-encoded values.
///
/// # Errors
/// The entry that is malformed.
pub fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let pairs = entries.map(|entry| {
        let (name, value) = entry.split_once('=').ok_or("an entry has no =")?;
        let value = percent_encoding::percent_decode_str(value.trim()).decode_utf8();
        let value = value.map_err(|_| format!("the value of {} is not UTF-8", name.trim()))?;
        match name.trim() {
            "" => Err("an entry has no name".to_owned()),
            name => Ok((name.to_owned(), value.into_owned())),
        }
    });
    pairs.collect()
}

/// What OpenTelemetry's own variables say, as values of ours, and a warning for each that does not fit. As OpenTelemetry asks, a
/// value that is not known is as if it were not there.
pub(super) fn standard(env: &Environment) -> (Vec<(&'static str, String)>, Vec<String>) {
    let (mut found, mut warnings) = (Vec::new(), Vec::new());
    let get = |name: &'static str| env.get(name).map(|text| text.trim()).filter(|text| !text.is_empty());
    let first = |names: [&'static str; 2]| names.into_iter().find_map(|name| Some((name, get(name)?)));
    if get("OTEL_SDK_DISABLED").is_some_and(|disabled| disabled.eq_ignore_ascii_case("true")) {
        return (found, warnings);
    }
    let mut take = |variable: &str, place: &'static str, value: String, checked: Result<(), String>| match checked {
        Ok(()) => found.push((place, value)),
        Err(reason) => warnings.push(format!("environment variable {variable} {reason} (ignored)")),
    };
    let exported = get("OTEL_TRACES_EXPORTER").is_none_or(|exporters| exporters.split(',').any(|name| name == "otlp"));
    let endpoint = first(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"]);
    if let Some((variable, base)) = endpoint.filter(|_| exported) {
        let whole = variable == "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        let url = if whole { base.to_owned() } else { format!("{}/v1/traces", base.trim_end_matches('/')) };
        match first(["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"]) {
            // A receiver of http/protobuf takes JSON at the same address.
            Some((variable, protocol)) if !protocol.starts_with("http/") => {
                let reason = "asks for a protocol that the server does not speak; nothing is traced";
                take(variable, "REPARSE_TRACES_ENDPOINT", url, Err(reason.to_owned()));
            }
            _ => {
                let checked = endpoint_of(&url).map(|_| ());
                take(variable, "REPARSE_TRACES_ENDPOINT", url, checked);
            }
        }
    }
    if let Some((variable, text)) = first(["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"]) {
        take(variable, "REPARSE_TRACES_HEADERS", text.to_owned(), pairs(text).map(|_| ()));
    }
    if let Some(text) = get("OTEL_SERVICE_NAME") {
        take("OTEL_SERVICE_NAME", "REPARSE_TRACES_SERVICE_NAME", text.to_owned(), Ok(()));
    }
    if let Some(text) = get("OTEL_RESOURCE_ATTRIBUTES") {
        take("OTEL_RESOURCE_ATTRIBUTES", "REPARSE_TRACES_RESOURCE", text.to_owned(), pairs(text).map(|_| ()));
    }
    if let Some(text) = get("OTEL_TRACES_SAMPLER") {
        let mut reader = Reader::default();
        let known = Sampler::from_json(text.into(), &mut reader);
        let checked = known.map(|_| ()).ok_or_else(|| "names a sampler that the server does not have".to_owned());
        take("OTEL_TRACES_SAMPLER", "REPARSE_TRACES_SAMPLER", text.to_owned(), checked);
    }
    if let Some(text) = get("OTEL_TRACES_SAMPLER_ARG") {
        let ratio = text.parse::<f64>().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio));
        let checked = if ratio { Ok(()) } else { Err("is no number from 0 to 1".to_owned()) };
        take("OTEL_TRACES_SAMPLER_ARG", "REPARSE_TRACES_RATIO", text.to_owned(), checked);
    }
    (found, warnings)
}

/// Reads the address of a receiver.
///
/// # Errors
/// What is wrong with it.
pub fn endpoint_of(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| "must be a URL that begins with http:// or https://".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> (Vec<(&'static str, String)>, usize) {
        let env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let (found, warnings) = standard(&env);
        (found, warnings.len())
    }

    fn ours(pairs: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
    }

    #[test]
    fn the_variables_of_opentelemetry_are_taken_over() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");
        let at = ours(&[("REPARSE_TRACES_ENDPOINT", "http://collector:4318/v1/traces")]);
        assert_eq!(read(&[base]), (at.clone(), 0));
        assert_eq!(read(&[base, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]), (at.clone(), 0));
        assert_eq!(read(&[base, ("OTEL_TRACES_EXPORTER", "console,otlp")]), (at, 0));
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://x/y");
        assert_eq!(read(&[base, own]), (ours(&[("REPARSE_TRACES_ENDPOINT", "https://x/y")]), 0));
        for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(read(&[base, off]), (Vec::new(), 0));
        }
        let more = [
            ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b,x=y"),
            ("OTEL_SERVICE_NAME", "shop"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
        ];
        let all = ours(&[
            ("REPARSE_TRACES_HEADERS", "api-key=a%20b,x=y"),
            ("REPARSE_TRACES_SERVICE_NAME", "shop"),
            ("REPARSE_TRACES_RESOURCE", "deployment.environment.name=test"),
            ("REPARSE_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("REPARSE_TRACES_RATIO", "0.25"),
        ]);
        assert_eq!(read(&more), (all, 0));
    }

    #[test]
    fn what_does_not_fit_is_warned_of() {
        let base = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4317");
        let wrong = [
            [base, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            [("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"), ("OTEL_SERVICE_NAME", "")],
            [("OTEL_TRACES_SAMPLER", "jaeger_remote"), ("OTEL_SERVICE_NAME", "")],
            [("OTEL_TRACES_SAMPLER_ARG", "2"), ("OTEL_SERVICE_NAME", "")],
            [("OTEL_RESOURCE_ATTRIBUTES", "x"), ("OTEL_SERVICE_NAME", "")],
        ];
        for variables in wrong {
            assert_eq!(read(&variables), (Vec::new(), 1), "{variables:?}");
        }
    }

    #[test]
    fn pairs_are_decoded() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs(" a=b=c , d = %C3%BC,").unwrap(), [pair("a", "b=c"), pair("d", "ü")]);
        assert_eq!(pairs("").unwrap(), []);
        for wrong in ["a", "=b", "a=%ff"] {
            assert!(pairs(wrong).is_err(), "{wrong}");
        }
    }
}
