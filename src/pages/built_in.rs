//! The pages this server brings along, in its languages. A page is the layout with the texts of one row.

use super::Page;

/// The frame of every page. Values are escaped when it is filled; there is no script in it.
const LAYOUT: &str = include_str!("layout.html");
/// The form of the page that sets a password.
const PASSWORD_FORM: &str = include_str!("password_form.html");
/// The form of the page behind an expired link.
const RESEND_FORM: &str = include_str!("resend_form.html");

/// An example of a page whose texts are placeholders of the options.
pub const EXAMPLE: &str = include_str!("example.html");

/// Texts of one language.
struct Language {
    tag: &'static str,
    /// Page, heading, text.
    texts: [(Page, &'static str, &'static str); 8],
    label: &'static str,
    set: &'static str,
    resend: &'static str,
}

const LANGUAGES: [Language; 2] = [
    Language {
        tag: "en",
        texts: [
            (Page::PasswordReset, "Choose a new password", ""),
            (Page::PasswordResetSuccess, "Your password has been changed", "You can log in with the new password now."),
            (
                Page::PasswordResetLinkInvalid,
                "This link does not work",
                "It is incomplete, has already been used, or has expired. Request a new password again to get another link.",
            ),
            (Page::EmailVerificationSuccess, "Your address has been confirmed", "Thank you. You can close this page."),
            (
                Page::EmailVerificationLinkInvalid,
                "This link does not work",
                "It is incomplete, or has already been used. Your address may be confirmed by now.",
            ),
            (
                Page::EmailVerificationLinkExpired,
                "This link has expired",
                "Request another one to confirm your address.",
            ),
            (
                Page::EmailVerificationSendSuccess,
                "Check your email",
                "If there is an address to confirm, we have sent another link to it.",
            ),
            (
                Page::EmailVerificationSendFail,
                "No email was sent",
                "The address is unknown, or has already been confirmed.",
            ),
        ],
        label: "New password",
        set: "Set password",
        resend: "Send another link",
    },
    Language {
        tag: "de",
        texts: [
            (Page::PasswordReset, "Neues Passwort wählen", ""),
            (Page::PasswordResetSuccess, "Das Passwort ist geändert", "Die Anmeldung geht ab jetzt mit dem neuen."),
            (
                Page::PasswordResetLinkInvalid,
                "Dieser Link geht nicht",
                "Er ist unvollständig, schon benutzt oder abgelaufen. Wer nochmals ein neues Passwort anfordert, bekommt einen neuen.",
            ),
            (
                Page::EmailVerificationSuccess,
                "Die Adresse ist bestätigt",
                "Vielen Dank. Diese Seite kann geschlossen werden.",
            ),
            (
                Page::EmailVerificationLinkInvalid,
                "Dieser Link geht nicht",
                "Er ist unvollständig oder schon benutzt. Vielleicht ist die Adresse bereits bestätigt.",
            ),
            (
                Page::EmailVerificationLinkExpired,
                "Dieser Link ist abgelaufen",
                "Um die Adresse zu bestätigen, braucht es einen neuen.",
            ),
            (
                Page::EmailVerificationSendSuccess,
                "Bitte ins Postfach sehen",
                "Falls es etwas zu bestätigen gibt, ist ein neuer Link unterwegs.",
            ),
            (
                Page::EmailVerificationSendFail,
                "Keine Mail verschickt",
                "Die Adresse ist unbekannt oder schon bestätigt.",
            ),
        ],
        label: "Neues Passwort",
        set: "Passwort setzen",
        resend: "Neuen Link schicken",
    },
];

/// Whether there are texts for the language of a locale.
pub fn speaks(locale: &str) -> bool {
    language(locale).is_some()
}

fn language(locale: &str) -> Option<&'static Language> {
    let tag = locale.split('-').next().unwrap_or_default().to_ascii_lowercase();
    LANGUAGES.iter().find(|language| language.tag == tag)
}

/// A page as a template.
pub fn template(page: Page, locale: Option<&str>) -> String {
    let [english, ..] = &LANGUAGES;
    let language = locale.and_then(language).unwrap_or(english);
    let (heading, text) =
        language.texts.iter().find(|(of, ..)| *of == page).map_or(("", ""), |(_, heading, text)| (heading, text));
    let form = match page {
        Page::PasswordReset => PASSWORD_FORM.replace("@label", language.label).replace("@button", language.set),
        Page::EmailVerificationLinkExpired => RESEND_FORM.replace("@button", language.resend),
        _ => String::new(),
    };
    LAYOUT.replace("@lang", language.tag).replace("@heading", heading).replace("@text", text).replace("@form", &form)
}
