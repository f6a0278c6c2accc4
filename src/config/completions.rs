//! Writes the table of options as completions for shells.

use std::fmt::Write;

use super::declare::OptionType;
use super::merge::{self, FlatOption};

/// The program's commands.
pub(super) const COMMANDS: [&str; 20] = [
    "openapi",
    "audit",
    "dashboard",
    "live-query",
    "check",
    "compact",
    "backup",
    "restore",
    "export",
    "import",
    "files",
    "job",
    "user",
    "class",
    "keys",
    "healthcheck",
    "embedded",
    "completions",
    "man",
    "version",
];

/// The completions of a shell: `bash`, `zsh` or `fish`; `None` for another.
#[must_use]
pub fn text(shell: &str) -> Option<String> {
    let options = merge::places();
    match shell {
        "bash" => Some(bash(&options)),
        "zsh" => Some(zsh(&options)),
        "fish" => Some(fish(&options)),
        _ => None,
    }
}

fn bash(options: &[FlatOption]) -> String {
    let flags: Vec<String> = options.iter().map(|option| format!("--{}", option.name())).collect();
    format!(
        "_reparse() {{\n  local word=${{COMP_WORDS[COMP_CWORD]}}\n  if [[ $word == -* ]]; then\n    \
         COMPREPLY=($(compgen -W '{} --help --version' -- \"$word\"))\n  else\n    \
         COMPREPLY=($(compgen -f -- \"$word\"))\n    \
         [[ $COMP_CWORD == 1 ]] && COMPREPLY+=($(compgen -W '{}' -- \"$word\"))\n  fi\n}}\n\
         complete -o filenames -F _reparse reparse\n",
        flags.join(" "),
        COMMANDS.join(" ")
    )
}

fn zsh(options: &[FlatOption]) -> String {
    let mut out = "#compdef reparse\n_arguments -s \\\n".to_owned();
    for option in options {
        let _ = writeln!(
            out,
            "  '--{}[{}]{}' \\",
            option.name(),
            option.env,
            if takes_value(option) { ":value:" } else { "" }
        );
    }
    let _ = writeln!(out, "  '1:command:({})' \\\n  '*:configuration:_files'", COMMANDS.join(" "));
    out
}

fn fish(options: &[FlatOption]) -> String {
    let mut out = format!("complete -c reparse -n __fish_use_subcommand -a '{}'\n", COMMANDS.join(" "));
    for option in options {
        let value = if takes_value(option) { " -r" } else { "" };
        let _ = writeln!(out, "complete -c reparse -l {} -d {}{value}", option.name(), option.env);
    }
    out
}

fn takes_value(option: &FlatOption) -> bool {
    option.kind != OptionType::Boolean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_is_offered() {
        for shell in ["bash", "zsh", "fish"] {
            let text = text(shell).unwrap();
            for name in ["appId", "accountLockout.duration", "limits.jsonBytes"] {
                assert!(text.contains(name), "{shell} lacks {name}");
            }
        }
        assert_eq!(text("cmd"), None);
    }
}
