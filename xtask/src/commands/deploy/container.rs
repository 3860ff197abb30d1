//! The `Dockerfile`.

use toolkit::{Result, workspace};

use super::{Checks, port};

const FILE: &str = "deploy/Dockerfile";

pub(super) fn check(checks: &mut Checks) -> Result {
    let file = workspace::read(FILE)?;
    let after = |start: &str| {
        let mut lines = file.lines().map(str::trim);
        lines.find_map(|line| line.strip_prefix(start).map(str::trim))
    };
    let toolchain = workspace::read("rust-toolchain.toml")?;
    let channel = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = "));
    let channel = channel.map(|channel| channel.trim_matches('"').to_owned());
    let image = after("FROM rust:").and_then(|image| image.split('-').next());
    checks.equal("the version of Rust", image.map(str::to_owned), channel);
    // Another system would have another libc than the program was linked with.
    let builder = after("FROM rust:").is_some_and(|image| image.contains("-bookworm "));
    let runner = after("FROM debian:").is_some_and(|image| image.starts_with("bookworm"));
    checks.expect(
        builder && runner,
        format!("{FILE}: the stages have different systems"),
    );
    let user = after("USER ").and_then(|user| user.split(':').next()?.parse::<u32>().ok());
    checks.expect(
        user.is_some_and(|user| user > 0),
        format!("{FILE}: the last user is root, or no number"),
    );
    let bind = after("APP_SERVER__BIND=").and_then(port);
    checks.equal(
        "the exposed port",
        after("EXPOSE ").map(str::to_owned),
        bind.clone(),
    );
    let check = file
        .lines()
        .skip_while(|line| !line.starts_with("HEALTHCHECK"))
        .nth(1);
    let url = check.and_then(|line| line.split('"').find(|word| word.starts_with("http")));
    checks.equal("the port of the health check", url.and_then(port), bind);
    let asks = url.is_some_and(|url| url.ends_with("/readyz"));
    checks.expect(
        asks,
        format!("{FILE}: the health check does not ask for /readyz"),
    );
    ignored(checks)
}

/// Everything that cargo reads for a build is sent to the builder.
fn ignored(checks: &mut Checks) -> Result {
    let ignore = workspace::read(&format!("{FILE}.dockerignore"))?;
    let kept: Vec<&str> = ignore
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    let root = workspace::root();
    for path in &kept {
        checks.expect(
            root.join(path).exists(),
            format!("{FILE}.dockerignore: no {path}"),
        );
    }
    for manifest in workspace::manifests()? {
        let folder = manifest.strip_prefix(&root).unwrap_or(&manifest);
        let first = folder
            .components()
            .next()
            .map(|part| part.as_os_str().to_string_lossy());
        let is_kept = first.is_some_and(|first| kept.contains(&first.as_ref()));
        checks.expect(
            is_kept,
            format!("{FILE}.dockerignore leaves out {}", folder.display()),
        );
    }
    Ok(())
}
