//! The built-in pages in each language. A page is the layout with the texts of one row.

use super::Page;

/// The HTML layout of every page. Values are escaped when it is filled. It contains no script.
const LAYOUT: &str = include_str!("layout.html");
/// The form for a new password.
const PASSWORD_FORM: &str = include_str!("password_form.html");
/// The form on the page for an expired link, which requests a new mail.
const RESEND_FORM: &str = include_str!("resend_form.html");

/// An example page whose texts are placeholders from the options.
pub const EXAMPLE: &str = include_str!("example.html");

/// The texts of one language.
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
                "It is incomplete, has already been used, or has expired. Request a password reset again to get a new link.",
            ),
            (Page::EmailVerificationSuccess, "Your address has been confirmed", "Thank you. You can close this page."),
            (
                Page::EmailVerificationLinkInvalid,
                "This link does not work",
                "It is incomplete or has already been used. Your address may already be confirmed.",
            ),
            (Page::EmailVerificationLinkExpired, "This link has expired", "Request a new one to confirm your address."),
            (
                Page::EmailVerificationSendSuccess,
                "Check your email",
                "If there is an address to confirm, we have sent it a new link.",
            ),
            (
                Page::EmailVerificationSendFail,
                "No email was sent",
                "The address is unknown or has already been confirmed.",
            ),
        ],
        label: "New password",
        set: "Set password",
        resend: "Send a new link",
    },
    Language {
        tag: "de",
        texts: [
            (Page::PasswordReset, "Neues Passwort wählen", ""),
            (
                Page::PasswordResetSuccess,
                "Das Passwort wurde geändert",
                "Sie können sich jetzt mit dem neuen Passwort anmelden.",
            ),
            (
                Page::PasswordResetLinkInvalid,
                "Dieser Link ist ungültig",
                "Er ist unvollständig, wurde bereits verwendet oder ist abgelaufen. Fordern Sie erneut ein Passwort an, um einen neuen Link zu erhalten.",
            ),
            (
                Page::EmailVerificationSuccess,
                "Ihre Adresse wurde bestätigt",
                "Vielen Dank. Sie können diese Seite schließen.",
            ),
            (
                Page::EmailVerificationLinkInvalid,
                "Dieser Link ist ungültig",
                "Er ist unvollständig oder wurde bereits verwendet. Vielleicht ist Ihre Adresse schon bestätigt.",
            ),
            (
                Page::EmailVerificationLinkExpired,
                "Dieser Link ist abgelaufen",
                "Fordern Sie einen neuen an, um Ihre Adresse zu bestätigen.",
            ),
            (
                Page::EmailVerificationSendSuccess,
                "Prüfen Sie Ihr Postfach",
                "Falls noch eine Adresse zu bestätigen ist, haben wir einen neuen Link gesendet.",
            ),
            (
                Page::EmailVerificationSendFail,
                "Es wurde keine E-Mail gesendet",
                "Die Adresse ist unbekannt oder wurde bereits bestätigt.",
            ),
        ],
        label: "Neues Passwort",
        set: "Passwort setzen",
        resend: "Neuen Link senden",
    },
];

/// Whether there are texts in the language of a locale.
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
