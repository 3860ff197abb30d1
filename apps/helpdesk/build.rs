//! The migrations are embedded by a macro, which does not see new files. This script rebuilds the
//! application when one appears.

#[allow(
    clippy::print_stdout,
    reason = "how a build script passes values to cargo"
)]
fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
