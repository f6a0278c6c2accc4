//! Refusals of FCM as `firebase-admin` names them: `{"code": "messaging/…", "message"}`.

use serde_json::{Value as Json, json};

use crate::adapters::push::requests::Answer;

/// What a detail of Google's answer is that has the error code of FCM.
const DETAIL: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";

/// Codes of FCM, and the status of Google's answer where there is none, with their names.
const CODES: &[(&str, &str)] = &[
    ("UNREGISTERED", "registration-token-not-registered"),
    ("NOT_FOUND", "registration-token-not-registered"),
    ("INVALID_ARGUMENT", "invalid-argument"),
    ("SENDER_ID_MISMATCH", "mismatched-credential"),
    ("PERMISSION_DENIED", "mismatched-credential"),
    ("QUOTA_EXCEEDED", "message-rate-exceeded"),
    ("RESOURCE_EXHAUSTED", "message-rate-exceeded"),
    ("THIRD_PARTY_AUTH_ERROR", "third-party-auth-error"),
    ("APNS_AUTH_ERROR", "third-party-auth-error"),
    ("UNAUTHENTICATED", "third-party-auth-error"),
    ("INTERNAL", "internal-error"),
    ("UNAVAILABLE", "server-unavailable"),
];

/// An error with the name of a code.
pub fn error(code: &str, message: &str) -> Json {
    json!({"code": format!("messaging/{code}"), "message": message})
}

/// FCM could not be reached.
pub fn of_network(reason: &str) -> Json {
    json!({"code": "app/network-error", "message": reason})
}

/// The error in an answer.
pub fn of_answer(answer: &Answer) -> Json {
    let body = answer.json();
    let Some(refusal) = body.get("error") else {
        let code = match answer.status {
            400 => "invalid-argument",
            401 | 403 => "authentication-error",
            500 => "internal-error",
            503 => "server-unavailable",
            _ => "unknown-error",
        };
        return error(code, &format!("Google answered with status {}: {}", answer.status, answer.text()));
    };
    let text = |value: &Json, key: &str| value.get(key).and_then(Json::as_str).map(str::to_owned);
    let details = refusal.get("details").and_then(Json::as_array);
    let detail = details.and_then(|details| details.iter().find(|it| text(it, "@type").as_deref() == Some(DETAIL)));
    let code = detail.and_then(|detail| text(detail, "errorCode")).or_else(|| text(refusal, "status"));
    let name = CODES.iter().find(|(known, _)| Some(*known) == code.as_deref()).map(|(_, name)| *name);
    let message = text(refusal, "message").unwrap_or_else(|| format!("Google answered with status {}", answer.status));
    error(name.unwrap_or("unknown-error"), &message)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::of_answer;
    use crate::adapters::push::requests::Answer;

    #[test]
    fn codes() {
        let code = |status: u16, body: &Json| of_answer(&Answer { status, body: body.to_string().into_bytes() });
        let detail =
            json!([{"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}]);
        let gone =
            code(404, &json!({"error": {"code": 404, "message": "gone", "status": "NOT_FOUND", "details": detail}}));
        assert_eq!(gone, json!({"code": "messaging/registration-token-not-registered", "message": "gone"}));
        let wrong = code(400, &json!({"error": {"message": "m", "status": "INVALID_ARGUMENT"}}));
        assert_eq!(wrong, json!({"code": "messaging/invalid-argument", "message": "m"}));
        assert_eq!(code(503, &json!("x"))["code"], "messaging/server-unavailable");
        assert_eq!(code(418, &json!({"error": {"status": "TEAPOT"}}))["code"], "messaging/unknown-error");
    }
}
