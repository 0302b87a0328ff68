//! `cargo dev`: Holdfast on this machine, with everything it needs.

use std::process::ExitCode;

fn main() -> ExitCode {
    dev::cli::main()
}
