//! Writes the table of options as a manual page.

use std::fmt::Write;

use super::Options;
use super::declare::{Spec, Status};
use super::help::{USAGE, kind_name};

/// The manual page, in roff.
#[must_use]
pub fn text() -> String {
    let mut out = format!(
        ".TH REPARSE 1 \"\" \"reparse {}\" \"User Commands\"\n.SH NAME\nreparse \\- a Parse server\n.SH SYNOPSIS\n.nf\n",
        env!("CARGO_PKG_VERSION")
    );
    for line in USAGE.lines() {
        let _ = writeln!(out, "{}", plain(line.strip_prefix("Usage: ").unwrap_or(line)));
    }
    out.push_str(".fi\n.SH OPTIONS\nA configuration file has them as keys of a JSON object.\n");
    for (title, specs) in Options::areas() {
        let _ = writeln!(out, ".SS {}", plain(title));
        for spec in &specs {
            entry(&mut out, spec, "");
        }
    }
    out.push_str(
        ".SH SIGNALS\n.TP\nSIGTERM, SIGINT\nFinish the requests in flight, then exit with status 0.\n\
         .SH EXIT STATUS\n0 after a stop by a signal; another status if the server cannot start.\n",
    );
    out
}

fn entry(out: &mut String, spec: &Spec, prefix: &str) {
    let name = format!("{prefix}{}", spec.key);
    let _ = writeln!(out, ".TP\n\\fB\\-\\-{}\\fR \\fI{}\\fR", plain(&name), kind_name(spec));
    let _ = writeln!(out, "{}", plain(spec.doc));
    let default =
        if spec.default.is_null() { String::new() } else { format!(" Default: {}.", plain(&spec.default.to_string())) };
    let note = match spec.status {
        Status::Supported => String::new(),
        Status::NotYet => " Not supported yet.".to_owned(),
        Status::Harmless(reason) => format!(" No effect: {}.", plain(reason)),
    };
    let _ = writeln!(out, "Variable: {}.{default}{note}", plain(spec.env));
    for inner in &spec.group {
        entry(out, inner, &format!("{name}."));
    }
}

/// Text that roff shows as it is.
fn plain(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_has_an_entry() {
        let page = text();
        assert!(page.starts_with(".TH REPARSE 1"));
        for (_, specs) in Options::areas() {
            for spec in specs {
                assert!(page.contains(&format!("\\fB\\-\\-{}\\fR", spec.key)), "{}", spec.key);
            }
        }
        let requests = [".TH", ".SH", ".SS", ".TP", ".nf", ".fi"];
        let strange = page
            .lines()
            .find(|line| line.starts_with(['.', '\'']) && !requests.iter().any(|request| line.starts_with(request)));
        assert_eq!(strange, None, "roff would take it for a request");
    }
}
