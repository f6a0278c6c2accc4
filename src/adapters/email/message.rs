//! Fills the templates of mails and builds messages for SMTP.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use lettre::Message;
use lettre::message::header::Date;
use lettre::message::{Mailbox, MultiPart, SinglePart};
use serde_json::{Map, Value as Json};

use super::{Mail, OwnMail, Purpose, SendError, text};
use crate::model::template::{self, Escape, Values};

const VERIFICATION_SUBJECT: &str = "Please verify your e-mail for {{appName}}";
const VERIFICATION_TEXT: &str = include_str!("templates/verification_email.txt");
const VERIFICATION_HTML: &str = include_str!("templates/verification_email.html");
const RESET_SUBJECT: &str = "Password Reset for {{appName}}";
const RESET_TEXT: &str = include_str!("templates/password_reset_email.txt");
const RESET_HTML: &str = include_str!("templates/password_reset_email.html");

/// The texts of a mail.
#[derive(Debug)]
pub struct Texts {
    /// Its subject, one line.
    pub subject: String,
    /// Its body as plain text.
    pub text: String,
    /// Its body as HTML.
    pub html: String,
}

/// Writes mails.
#[derive(Debug)]
pub struct Composer {
    from: Mailbox,
    /// Custom templates by path below the directory, such as `de/verification_email.txt`.
    own: HashMap<String, String>,
}

impl Composer {
    /// Options: `from`, an email address with or without a name; `templates`, a directory.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(adapter: &str, options: &Map<String, Json>, from: Option<&str>) -> Result<Self, String> {
        let from = match (options.get("from"), from) {
            (None, Some(from)) => from,
            _ => text(options, adapter, "from")?,
        };
        let from = from
            .parse()
            .map_err(|error| format!("emailAdapter {adapter}: from is not a valid email address: {error}"))?;
        let own = match options.get("templates") {
            None | Some(Json::Null) => HashMap::new(),
            Some(_) => read_templates(Path::new(text(options, adapter, "templates")?))
                .map_err(|error| format!("emailAdapter {adapter}: templates: {error}"))?,
        };
        Ok(Self { from, own })
    }

    /// Finds the template for a locale: in the directory of the locale, then of its language, then in the directory
    /// itself.
    fn template<'a>(&'a self, mail: &Mail, file: &str, built_in: &'a str) -> &'a str {
        let locale = mail.locale.as_deref().unwrap_or_default();
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        [format!("{locale}/{file}"), format!("{language}/{file}"), file.to_owned()]
            .iter()
            .find_map(|path| self.own.get(path))
            .map_or(built_in, String::as_str)
    }

    /// The texts of a mail.
    #[must_use]
    pub fn texts(&self, mail: &Mail) -> Texts {
        let mut values = Values::new();
        values.set("appName", mail.app_name.as_str());
        values.set("link", mail.link.as_str());
        values.set("username", mail.username.as_str());
        values.set("email", mail.to.as_str());
        values.set("locale", mail.locale.as_deref().unwrap_or_default());
        for (field, value) in mail.user.as_object().into_iter().flatten() {
            if let Json::String(text) = value {
                values.set(format!("user.{field}"), text.as_str());
            }
        }
        let (name, subject, plain, html) = match mail.kind {
            Purpose::Verification => ("verification_email", VERIFICATION_SUBJECT, VERIFICATION_TEXT, VERIFICATION_HTML),
            Purpose::PasswordReset => ("password_reset_email", RESET_SUBJECT, RESET_TEXT, RESET_HTML),
        };
        let fill = |file: &str, built_in: &str, escape| {
            template::render(self.template(mail, &format!("{name}{file}"), built_in), &values, escape)
        };
        let subject = fill("_subject.txt", subject, Escape::None);
        Texts {
            subject: subject.split_whitespace().collect::<Vec<_>>().join(" "),
            text: fill(".txt", plain, Escape::None),
            html: fill(".html", html, Escape::Html),
        }
    }

    /// Builds the message of a mail.
    ///
    /// # Errors
    /// If the recipient's address is invalid.
    pub fn compose(&self, mail: &Mail) -> Result<Message, SendError> {
        let wrong = |error: &dyn std::fmt::Display| SendError::Permanent(format!("mail {}: {error}", mail.id));
        let to = mail.to.parse().map_err(|error| wrong(&error))?;
        let texts = self.texts(mail);
        let written = Duration::from_millis(u64::try_from(mail.millis).unwrap_or_default());
        let id = format!("<{}@{}>", mail.id, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(texts.subject)
            .header(Date::new(UNIX_EPOCH + written))
            .message_id(Some(id))
            .multipart(
                MultiPart::alternative()
                    .singlepart(SinglePart::plain(texts.text))
                    .singlepart(SinglePart::html(texts.html)),
            )
            .map_err(|error| wrong(&error))
    }
}

impl Composer {
    /// The method of an adapter of the app that a mail is for, and what it is told: the link where it `has` the method, else the texts.
    #[must_use]
    pub fn told(&self, mail: &Mail, has: impl Fn(&str) -> bool) -> (&'static str, Map<String, Json>) {
        let own = match mail.kind {
            Purpose::Verification => "sendVerificationEmail",
            Purpose::PasswordReset => "sendPasswordResetEmail",
        };
        let mut told = Map::new();
        let mut tell = |key: &str, value: &str| drop(told.insert(key.to_owned(), value.into()));
        if has(own) {
            tell("appName", &mail.app_name);
            tell("link", &mail.link);
            return (own, told);
        }
        let texts = self.texts(mail);
        tell("to", &mail.to);
        tell("subject", &texts.subject);
        tell("text", &texts.text);
        ("sendMail", told)
    }

    /// A mail in the app's own words, as it travels.
    ///
    /// # Errors
    /// When something of it is missing, or an address is none.
    pub fn compose_own(&self, mail: &OwnMail) -> Result<Message, SendError> {
        let wrong = |error: &dyn std::fmt::Display| SendError::Permanent(format!("mail {}: {error}", mail.id));
        let field = |name: &str| mail.fields.get(name).and_then(Json::as_str).filter(|text| !text.is_empty());
        let from = match field("from") {
            Some(from) => from.parse().map_err(|error| wrong(&error))?,
            None => self.from.clone(),
        };
        let mut message = Message::builder().from(from);
        for address in field("to").ok_or_else(|| wrong(&"to is missing"))?.split(',') {
            message = message.to(address.trim().parse().map_err(|error| wrong(&error))?);
        }
        let written = Duration::from_millis(u64::try_from(mail.millis).unwrap_or_default());
        let subject = field("subject").unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
        let message = message.subject(subject).header(Date::new(UNIX_EPOCH + written)).message_id(Some(format!(
            "<{}@{}>",
            mail.id,
            self.from.email.domain()
        )));
        let text = SinglePart::plain(field("text").unwrap_or_default().to_owned());
        match field("html") {
            Some(html) => message
                .multipart(MultiPart::alternative().singlepart(text).singlepart(SinglePart::html(html.to_owned()))),
            None => message.singlepart(text),
        }
        .map_err(|error| wrong(&error))
    }
}

/// The templates of a folder and of the folders in it, which are named after languages.
fn read_templates(dir: &Path) -> Result<HashMap<String, String>, String> {
    let mut found = HashMap::new();
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    let mut folders = vec![(dir.to_owned(), String::new())];
    while let Some((folder, prefix)) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|error| failed(&folder, error))? {
            let path = entry.map_err(|error| failed(&folder, error))?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if path.is_dir() && prefix.is_empty() {
                folders.push((path.clone(), format!("{name}/")));
            } else if path.extension().is_some_and(|extension| extension == "txt" || extension == "html") {
                let text = std::fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
                found.insert(format!("{prefix}{name}"), text);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mail(to: &str) -> Mail {
        Mail {
            id: "m1".into(),
            millis: 1_580_702_706_789,
            kind: Purpose::Verification,
            to: to.into(),
            app_name: "Démo <b>".into(),
            link: "https://x.example/verify?token=a&b=\"c".into(),
            username: "u\r\nBcc: evil@example.com".into(),
            user: json!({"nick": "<i>"}),
            locale: Some("de-AT".into()),
        }
    }

    #[test]
    fn nothing_a_user_chose_is_markup_or_header() {
        let composer = Composer::open("file", &Map::new(), Some("a@example.com")).unwrap();
        let texts = composer.texts(&mail("u@example.com"));
        assert_eq!(texts.subject, "Please verify your e-mail for Démo <b>");
        assert!(texts.text.contains("https://x.example/verify?token=a&b=\"c"));
        assert!(!texts.html.contains("<b>") && texts.html.contains("token&#x3D;a&amp;b&#x3D;&quot;c"));
        let message = String::from_utf8(composer.compose(&mail("u@example.com")).unwrap().formatted()).unwrap();
        let headers = message.split("\r\n\r\n").next().unwrap();
        assert!(!headers.contains("Bcc") && headers.contains("To: u@example.com"), "{headers}");
        for bad in ["no address", "a@b\r\nBcc: c@example.com", "a@b@c"] {
            assert!(composer.compose(&mail(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn own_templates_by_language() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("de")).unwrap();
        std::fs::write(dir.path().join("de/verification_email.txt"), "Hallo {{user.nick}}").unwrap();
        std::fs::write(dir.path().join("verification_email_subject.txt"), "Hi\n{{username}}").unwrap();
        let options = json!({"from": "A <a@example.com>", "templates": dir.path()});
        let composer = Composer::open("smtp", options.as_object().unwrap(), None).unwrap();
        let texts = composer.texts(&mail("u@example.com"));
        assert_eq!(texts.text, "Hallo <i>");
        assert_eq!(texts.subject, "Hi u Bcc: evil@example.com");
    }
}
