//! `doyen-bench bare | full | token --dir FOLDER`.
//!
//! `bare` and `full` serve on `PORT`, with the database of `DATABASE_URL`. `full` is `doyen::run`:
//! settings from the environment, the log on standard output, which goes to the file `LOG`.

use std::error::Error;
use std::fs::OpenOptions;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

use doyen_bench::{app, bare, token};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments[..] {
        ["bare"] => serve_bare(),
        ["full"] => serve_full(),
        // What `full` becomes once its settings and its log stand.
        ["serve"] => return doyen::run(app()),
        ["token", "--dir", folder] => token::write(Path::new(folder)),
        _ => Err("one of: bare, full, token --dir FOLDER".into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn serve_bare() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(bare::serve(port()?, &database()))
}

/// Starts this program again as the application, in this process, with the settings of production.
fn serve_full() -> Result<(), Box<dyn Error>> {
    let mut whole = Command::new(std::env::current_exe()?);
    whole
        .arg("serve")
        .env("APP_ENV", "prod")
        .env("APP_SERVER__BIND", format!("127.0.0.1:{}", port()?))
        .env("APP_ADMIN__BIND", "127.0.0.1:0")
        .env("APP_AUTH__ISSUER", token::ISSUER)
        .env("APP_AUTH__AUDIENCE", token::AUDIENCE)
        .env("APP_DATABASE__MAX_CONNECTIONS", "8")
        .env("APP_DATABASE__MIGRATE", "off")
        // Every call is counted, and none is refused.
        .env("APP_LIMITS__DEFAULT", "1000000/1s")
        .env("APP_SERVER__CORS_ORIGINS", "https://app.example.com")
        .env("DATABASE_URL", database());
    // The signing key is in a file next to the public key.
    if let Some(public) = std::env::var_os("JWT_PUBLIC_KEY") {
        let seed = Path::new(&public).with_file_name("seed");
        whole.env("APP_AUTH__SIGNING_KEY", std::fs::read_to_string(seed)?);
    }
    if let Some(log) = std::env::var_os("LOG") {
        whole.stdout(OpenOptions::new().create(true).append(true).open(log)?);
    }
    // It comes back only when it could not be started.
    Err(whole.exec().into())
}

fn port() -> Result<u16, Box<dyn Error>> {
    let port = std::env::var("PORT").map_err(|_| "PORT is not set")?;
    Ok(port.parse()?)
}

/// Cases 1 and 2 ask for none; the service has one all the same.
fn database() -> String {
    std::env::var("DATABASE_URL").unwrap_or_else(|_| {
        let file = std::env::temp_dir().join(format!("doyen-bench-{}.db", std::process::id()));
        format!("sqlite://{}", file.display())
    })
}
