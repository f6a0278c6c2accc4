//! The JSON form of OTLP (`ExportTraceServiceRequest`): ids as hexadecimal digits, enums as numbers, 64-bit numbers as text.

use std::fmt::Write as _;
use std::time::Instant;

use crate::model::date::Date;
use crate::traces::{Finished, Value};

/// What the program is, as JSON.
pub(super) fn resource(attributes: &[(String, String)]) -> String {
    let mut text = String::from("{\"attributes\":[");
    for (index, (name, value)) in attributes.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str("{\"key\":");
        string(&mut text, name);
        text.push_str(",\"value\":{\"stringValue\":");
        string(&mut text, value);
        text.push_str("}}");
    }
    text.push_str("]}");
    text
}

/// A request with spans. `now`: one moment on the clock and on that of the spans.
pub(super) fn request(resource: &str, spans: &[Finished], now: (Date, Instant)) -> String {
    let mut text = String::with_capacity(512 * spans.len() + resource.len() + 128);
    text.push_str("{\"resourceSpans\":[{\"resource\":");
    text.push_str(resource);
    text.push_str(",\"scopeSpans\":[{\"scope\":{\"name\":\"reparse\",\"version\":\"");
    text.push_str(env!("CARGO_PKG_VERSION"));
    text.push_str("\"},\"spans\":[");
    for (index, finished) in spans.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        span(&mut text, finished, now);
    }
    text.push_str("]}]}]}");
    text
}

fn span(text: &mut String, span: &Finished, now: (Date, Instant)) {
    // Writing into a text cannot fail.
    let _ = write!(text, "{{\"traceId\":\"{:032x}\",\"spanId\":\"{:016x}\",", span.context.trace, span.context.span);
    if let Some(parent) = span.parent {
        let _ = write!(text, "\"parentSpanId\":\"{parent:016x}\",");
    }
    text.push_str("\"name\":");
    string(text, &span.name);
    let (started, ended) = (nanoseconds(span.started, now), nanoseconds(span.ended, now));
    let kind = span.kind as u8;
    let _ = write!(
        text,
        ",\"kind\":{kind},\"startTimeUnixNano\":\"{started}\",\"endTimeUnixNano\":\"{ended}\",\"attributes\":["
    );
    for (index, (name, value)) in span.attributes.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        let _ = write!(text, "{{\"key\":\"{name}\",\"value\":{{");
        match value {
            Value::Text(value) => {
                text.push_str("\"stringValue\":");
                string(text, value);
            }
            Value::Number(number) => {
                let _ = write!(text, "\"intValue\":\"{number}\"");
            }
        }
        text.push_str("}}");
    }
    text.push_str(if span.failed { "],\"status\":{\"code\":2}}" } else { "]}" });
}

/// Nanoseconds since 1970.
fn nanoseconds(moment: Instant, (clock, now): (Date, Instant)) -> i128 {
    let ago = now.saturating_duration_since(moment).as_nanos();
    i128::from(clock.millis()) * 1_000_000 - i128::try_from(ago).unwrap_or_default()
}

fn string(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            '\0'..='\u{1f}' => {
                let _ = write!(text, "\\u{:04x}", u32::from(character));
            }
            plain => text.push(plain),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value as Json, json};

    use super::*;
    use crate::traces::{Context, Kind};

    #[test]
    fn a_request_has_the_form_of_otlp() {
        let now = (Date::from_millis(1_800_000_000_000), Instant::now());
        let spans: Vec<Finished> = [(None, false), (Some(0xab), true)]
            .map(|(parent, failed)| Finished {
                context: Context { trace: 0x1f, span: 0x2f, sampled: true },
                parent,
                kind: Kind::Client,
                name: "find \"X\"\n".into(),
                started: now.1.checked_sub(Duration::from_millis(3)).unwrap(),
                ended: now.1.checked_sub(Duration::from_micros(1)).unwrap(),
                attributes: vec![("a", "\\ü".into()), ("n", 7.into())],
                failed,
            })
            .into();
        let resource = resource(&[("service.name".to_owned(), "r\"".to_owned())]);
        let sent: Json = serde_json::from_str(&request(&resource, &spans, now)).unwrap();
        let resource = &sent["resourceSpans"][0];
        assert_eq!(
            resource["resource"]["attributes"],
            json!([{ "key": "service.name", "value": { "stringValue": "r\"" } }])
        );
        let sent = &resource["scopeSpans"][0]["spans"];
        let first = json!({
            "traceId": "0000000000000000000000000000001f",
            "spanId": "000000000000002f",
            "name": "find \"X\"\n",
            "kind": 3,
            "startTimeUnixNano": "1799999999997000000",
            "endTimeUnixNano": "1799999999999999000",
            "attributes": [
                { "key": "a", "value": { "stringValue": "\\ü" } },
                { "key": "n", "value": { "intValue": "7" } },
            ],
        });
        assert_eq!(sent[0], first);
        assert_eq!(sent[1]["parentSpanId"], "00000000000000ab");
        assert_eq!(sent[1]["status"], json!({ "code": 2 }));
        assert_eq!(sent.as_array().unwrap().len(), 2);
    }
}
