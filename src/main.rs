//! The `reparse` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    reparse::program::main()
}
