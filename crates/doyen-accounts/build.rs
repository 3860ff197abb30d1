//! A macro can not see files that appear: a new migration must build the crate again.

#[allow(clippy::print_stdout, reason = "how a build script speaks to cargo")]
fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
