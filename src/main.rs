//! The `reparse` program.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A fifth less processor time per request than with the C library's.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    reparse::program::main()
}
