//! Settings from files, variables and code, and the messages of all errors.

#![allow(missing_docs, dead_code, reason = "a test")]

extern crate doyen_settings as doyen;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use doyen_core::Secret;
use doyen_settings::{
    ByteSize, Environment, Loaded, Loader, Origin, Settings, SettingsError, reference,
};

/// Settings of the shop.
#[derive(Debug, Clone, Settings)]
struct Shop {
    /// What customers see as sender.
    #[setting(default = "shop@example.com")]
    sender: String,
    /// Longest time a cart lives.
    #[setting(default = "30d", min = "1h", max = "90d")]
    cart: Duration,
    #[setting(section)]
    mail: Mail,
    /// Where the data is.
    #[setting(env = "DATABASE_URL")]
    url: Secret<String>,
    note: Option<String>,
    #[setting(flatten)]
    framework: Framework,
}

/// Outgoing mail.
#[derive(Debug, Clone, Settings)]
struct Mail {
    /// How many are sent | at once.
    #[setting(default = 4, min = 1, max = 64)]
    workers: u16,
    /// Who may be written to.
    #[setting(default = ["example.com", "example.org"])]
    domains: Vec<String>,
    /// The relay.
    #[setting(section)]
    relay: Option<Relay>,
}

/// A mail relay.
#[derive(Debug, Clone, Settings)]
struct Relay {
    /// Its address.
    url: String,
    /// The password.
    password: Option<Secret<String>>,
}

/// What the framework brings.
#[derive(Debug, Clone, Settings)]
struct Framework {
    #[setting(section)]
    server: Server,
}

/// The server.
#[derive(Debug, Clone, Settings)]
struct Server {
    /// The public address.
    #[setting(default = "127.0.0.1:8000")]
    bind: SocketAddr,
    /// Largest body.
    #[setting(default = "1 MiB", max = "64 MiB")]
    body: ByteSize,
    /// Whether migrations are applied.
    #[setting(default = "auto")]
    migrate: Migrate,
    /// Share of requests that are traced.
    #[setting(default = 0.5, min = 0, max = 1)]
    sample: f64,
    /// Ask others for the time.
    #[setting(default = false)]
    clock: bool,
    /// Where files are.
    #[setting(default = "data")]
    files: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Settings)]
enum Migrate {
    Auto,
    CheckOnly,
    #[setting("off")]
    Never,
}

/// A folder with files, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let path =
            std::env::temp_dir().join(format!("doyen-settings-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        for (file, text) in files {
            std::fs::write(path.join(file), text).unwrap();
        }
        Self(path)
    }
    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

const URL: (&str, &str) = ("DATABASE_URL", "sqlite://shop.db");

/// The messages, with the folder of the test replaced by `config`.
fn messages<S>(result: Result<Loaded<S>, SettingsError>, folder: Option<&Folder>) -> Vec<String> {
    let Err(error) = result else {
        return Vec::new();
    };
    let path = folder.map_or_else(
        || "//".to_owned(),
        |folder| folder.path().display().to_string(),
    );
    error
        .faults
        .iter()
        .map(|fault| fault.message.replace(&path, "config"))
        .collect()
}

fn wrong(vars: &[(&str, &str)]) -> Vec<String> {
    messages(
        Loader::new("APP").env(vars.iter().copied()).load::<Shop>(),
        None,
    )
}

#[test]
fn defaults_are_enough() {
    let shop = Loader::new("APP").env([URL]).load::<Shop>().unwrap().value;
    assert_eq!(shop.sender, "shop@example.com");
    assert_eq!(shop.cart, Duration::from_secs(30 * 86_400));
    assert_eq!((shop.mail.workers, shop.mail.domains.len()), (4, 2));
    assert!(shop.mail.relay.is_none() && shop.note.is_none());
    assert_eq!(shop.url.expose(), "sqlite://shop.db");
    let server = shop.framework.server;
    assert_eq!(
        (
            server.bind.port(),
            server.body,
            server.migrate,
            server.clock
        ),
        (8000, ByteSize::mib(1), Migrate::Auto, false)
    );
    assert_eq!((server.sample, server.files), (0.5, PathBuf::from("data")));
}

#[test]
fn the_stronger_source_wins_value_by_value() {
    let folder = Folder::new(
        "stronger",
        &[
            (
                "base.toml",
                "sender = \"base\"\nnote = \"base\"\ncart = \"2h\"\n\n[server]\nbind = \"127.0.0.1:1\"\nbody = 100\n",
            ),
            (
                "prod.toml",
                "note = \"prod\"\ncart = \"3h\"\n[server]\nbind = \"127.0.0.1:2\"\n",
            ),
            ("dev.toml", "note = \"dev\""),
        ],
    );
    let vars = [
        URL,
        ("APP_ENV", "prod"),
        ("APP_CART", "4h"),
        ("APP_SERVER__BIND", "127.0.0.1:3"),
        ("HOME", "/root"),
    ];
    let loader = Loader::new("APP")
        .env(vars)
        .folder(folder.path())
        .set("server.bind", "127.0.0.1:4");
    let loaded = loader.load::<Shop>().unwrap();
    let shop = loaded.value;
    assert_eq!(loaded.environment, Environment::Prod);
    assert_eq!(
        (&*shop.sender, shop.note.as_deref()),
        ("base", Some("prod"))
    );
    assert_eq!(shop.cart, Duration::from_secs(4 * 3600));
    assert_eq!(
        (
            shop.framework.server.bind.port(),
            shop.framework.server.body.bytes()
        ),
        (4, 100)
    );

    let file = |name: &str, line| Origin::File {
        path: folder.path().join(name).display().to_string(),
        line,
    };
    let origin = |key: &str| {
        loaded
            .report
            .iter()
            .find(|row| row.key == key)
            .unwrap()
            .origin
            .clone()
    };
    assert_eq!(origin("sender"), file("base.toml", 1));
    assert_eq!(origin("note"), file("prod.toml", 1));
    assert_eq!(origin("server.body"), file("base.toml", 7));
    assert_eq!(origin("cart"), Origin::Variable("APP_CART".into()));
    assert_eq!(origin("url"), Origin::Variable("DATABASE_URL".into()));
    assert_eq!(origin("server.bind"), Origin::Code);
    assert_eq!(origin("mail.workers"), Origin::Default);
}

#[test]
fn the_report_hides_secrets_and_keeps_the_order() {
    let vars = [
        ("APP_URL", "postgres://shop:hunter2@db/shop"),
        ("APP_MAIL__RELAY__URL", "smtp://shop:hunter2@relay"),
        ("APP_MAIL__RELAY__PASSWORD", "hunter2"),
    ];
    let loaded = Loader::new("APP").env(vars).load::<Shop>().unwrap();
    let rows: Vec<String> = loaded
        .report
        .iter()
        .map(|row| format!("{} = {} ({})", row.key, row.value, row.origin))
        .collect();
    assert_eq!(
        rows[..8],
        [
            "sender = shop@example.com (default)",
            "cart = 30d (default)",
            "mail.workers = 4 (default)",
            "mail.domains = example.com,example.org (default)",
            "mail.relay.url = smtp://shop:***@relay (environment variable APP_MAIL__RELAY__URL)",
            "mail.relay.password = *** (environment variable APP_MAIL__RELAY__PASSWORD)",
            "url = *** (environment variable APP_URL)",
            "note = not set (default)",
        ]
    );
    assert!(!format!("{loaded:?}").contains("postgres://"), "{loaded:?}");
}

#[test]
fn every_type_reads_from_a_file_and_from_a_variable() {
    let folder = Folder::new(
        "types",
        &[(
            "base.toml",
            "url = \"x\"\nnote = \"n\"\n[mail]\ndomains = [\"a.example\"]\nrelay = { url = \"r\" }\n[server]\nbind = \"[::1]:0\"\nbody = \"2 KiB\"\n\
             migrate = \"check_only\"\nsample = 1\nclock = true\nfiles = \"/srv\"\n",
        )],
    );
    let shop = Loader::new("APP")
        .env([("X", "y")])
        .folder(folder.path())
        .load::<Shop>()
        .unwrap()
        .value;
    assert_eq!(shop.mail.domains, ["a.example"]);
    assert_eq!(shop.mail.relay.unwrap().url, "r");
    let server = shop.framework.server;
    assert_eq!(
        (server.migrate, server.sample, server.clock),
        (Migrate::CheckOnly, 1.0, true)
    );
    assert_eq!((server.body.bytes(), server.bind.is_ipv6()), (2048, true));

    let vars = [
        URL,
        ("APP_NOTE", ""),
        ("APP_MAIL__DOMAINS", " a.example , b.example,"),
        ("APP_SERVER__MIGRATE", "off"),
        ("APP_SERVER__SAMPLE", "0.25"),
        ("APP_SERVER__CLOCK", "true"),
        ("APP_SERVER__BODY", "0"),
    ];
    let shop = Loader::new("APP")
        .env(vars)
        .folder(folder.path())
        .load::<Shop>()
        .unwrap()
        .value;
    assert_eq!(shop.note, None, "an empty variable removes the value");
    assert_eq!(shop.mail.domains, ["a.example", "b.example"]);
    let server = shop.framework.server;
    assert_eq!(
        (
            server.migrate,
            server.sample,
            server.clock,
            server.body.bytes()
        ),
        (Migrate::Never, 0.25, true, 0)
    );
}

#[test]
fn unknown_settings_are_refused_with_the_nearest_name() {
    let base = "bind = \"x\"\nmail = 3\n[note]\ndeep = 1\n[server]\nbnd = \"x\"\nzebra = 1\n[nowhere]\nat_all = 1\n";
    let folder = Folder::new("unknown", &[("base.toml", base)]);
    let vars = [
        URL,
        ("APP_SERVER__BND", "x"),
        ("APP_SERVER__BIND_FILE", "x"),
        ("APP_SERVER__ZEBRA", "x"),
        ("OTHER_ZEBRA", "x"),
    ];
    let loader = Loader::new("APP")
        .env(vars)
        .folder(folder.path())
        .set("cartt", "1h");
    let mut all = messages(loader.load::<Shop>(), Some(&folder));
    all.sort();
    let mut expected = [
        "unknown setting `bind` in config/base.toml line 1: did you mean `server.bind`?",
        "unknown setting `server.bnd` in config/base.toml line 6: did you mean `server.bind`?",
        "`mail` in config/base.toml line 2 is a section, not a value: set `mail.workers`, `mail.domains`, `mail.relay.url`, `mail.relay.password`",
        "`note.deep` in config/base.toml line 4 is below `note`, which is a value, not a section: set `note`",
        "unknown setting `server.zebra` in config/base.toml line 7: remove it, or set `server.bind`, `server.body`, `server.migrate`, \
         `server.sample`, `server.clock`, `server.files`",
        "unknown setting `nowhere.at_all` in config/base.toml line 9: remove it",
        "unknown setting in environment variable APP_SERVER__BND: did you mean APP_SERVER__BIND?",
        "unknown setting in environment variable APP_SERVER__BIND_FILE: only secrets are read from files. Set APP_SERVER__BIND",
        "unknown setting in environment variable APP_SERVER__ZEBRA: remove it; names that begin with APP_ and contain `__` are settings",
        "unknown setting `cartt` in code: did you mean `cart`?",
    ];
    expected.sort_unstable();
    assert_eq!(all, expected);
}

/// The warnings about variables that are no settings.
fn ignored(vars: &[(&str, &str)]) -> Vec<String> {
    let vars = vars.iter().copied().chain([URL]);
    let loaded = Loader::new("APP").env(vars).load::<Shop>().unwrap();
    loaded
        .warnings
        .into_iter()
        .map(|warning| warning.message)
        .collect()
}

#[test]
fn variables_of_other_programs_are_ignored_with_the_nearest_name() {
    let kubernetes = [
        ("APP_PORT", "tcp://10.0.0.1:80"),
        ("APP_SERVICE_HOST", "10.0.0.1"),
        ("APP_SERVICE_PORT_HTTP", "80"),
        ("APP_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("APP_WEB_PORT_80_TCP_ADDR", "10.0.0.1"),
    ];
    assert_eq!(ignored(&kubernetes), [""; 0]);
    assert_eq!(
        ignored(&[
            ("APP_EVN", "prod"),
            ("APP_SERVER_BIND", "x"),
            ("APP_HOME_PAGE", "x")
        ]),
        [
            "environment variable APP_EVN is no setting and is ignored: did you mean APP_ENV?",
            "environment variable APP_SERVER_BIND is no setting and is ignored: did you mean APP_SERVER__BIND?",
            "environment variable APP_HOME_PAGE is no setting and is ignored",
        ]
    );
}

#[test]
fn a_setting_called_port_ignores_the_port_of_a_kubernetes_service() {
    #[derive(Debug, Settings)]
    struct Listen {
        /// The port.
        #[setting(default = 8000)]
        port: u16,
    }
    let load = |value| {
        Loader::new("APP")
            .env([("APP_PORT", value)])
            .load::<Listen>()
    };
    assert_eq!(load("tcp://10.0.0.1:80").unwrap().value.port, 8000);
    assert_eq!(load("9000").unwrap().value.port, 9000);
    assert!(load("http://10.0.0.1:80").is_err());
}

#[test]
fn a_line_break_at_the_end_of_a_variable_is_removed() {
    let vars = [
        ("DATABASE_URL", "sqlite://shop.db\n"),
        ("APP_ENV", "test\r\n"),
        ("APP_SENDER", " a\nb \n"),
    ];
    let loaded = Loader::new("APP").env(vars).load::<Shop>().unwrap();
    assert_eq!(loaded.value.url.expose(), "sqlite://shop.db");
    assert_eq!(loaded.environment, Environment::Test);
    assert_eq!(loaded.value.sender, " a\nb ");
}

#[test]
fn a_list_in_a_variable_may_be_a_json_array() {
    let domains = |value| {
        let vars = [URL, ("APP_MAIL__DOMAINS", value)];
        let loaded = Loader::new("APP").env(vars).load::<Shop>();
        loaded.map(|loaded| loaded.value.mail.domains)
    };
    assert_eq!(domains(r#"["a,b", "c"]"#).unwrap(), ["a,b", "c"]);
    assert_eq!(domains(" [] ").unwrap(), [""; 0]);
    assert_eq!(domains("a,b").unwrap(), ["a", "b"]);
    assert_eq!(domains("[::1]:1").unwrap(), ["[::1]:1"]);
    assert_eq!(
        wrong(&[URL, ("APP_MAIL__DOMAINS", r#"["a", "b"#)]),
        [
            r#"`mail.domains` from environment variable APP_MAIL__DOMAINS is `["a", "b`: it must be a list such as `a,b` or `["a", "b"]`"#
        ]
    );
    assert_eq!(
        wrong(&[URL, ("APP_MAIL__DOMAINS", r#"["a", 1]"#)]),
        [
            r#"`mail.domains` from environment variable APP_MAIL__DOMAINS is `["a", 1]`: it must be a list, and each item of it a text, in quotes"#
        ]
    );
}

#[test]
fn a_secret_may_be_in_a_file_that_a_variable_names() {
    let folder = Folder::new("secret", &[("url", "sqlite://filed.db\n"), ("empty", "\n")]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let load = |vars: &[(&str, &str)]| Loader::new("APP").env(vars.iter().copied()).load::<Shop>();
    for variable in ["DATABASE_URL_FILE", "APP_URL_FILE"] {
        let loaded = load(&[(variable, &path("url"))]).unwrap();
        assert_eq!(loaded.value.url.expose(), "sqlite://filed.db");
        let row = loaded.report.iter().find(|row| row.key == "url").unwrap();
        assert_eq!(row.value, "***");
        let shown = format!("{} (environment variable {variable})", path("url"));
        assert_eq!(row.origin.to_string(), shown);
    }
    let errors = |vars: &[(&str, &str)]| messages(load(vars), Some(&folder));
    assert_eq!(
        errors(&[URL, ("APP_URL_FILE", &path("url"))]),
        [
            "`url` is set twice, by the environment variables DATABASE_URL and APP_URL_FILE, with different values: keep one"
        ]
    );
    assert_eq!(
        errors(&[URL, ("APP_URL_FILE", &path("none"))]),
        [
            "the file `config/none` of environment variable APP_URL_FILE cannot be read: No such file or directory (os error 2). Correct the path, the file or its rights"
        ]
    );
    assert_eq!(
        errors(&[URL, ("APP_URL_FILE", &path("empty"))]),
        [
            "the file `config/empty` of environment variable APP_URL_FILE is empty. Correct the path, the file or its rights"
        ]
    );
}

#[test]
fn all_invalid_values_are_reported_with_a_correction() {
    let vars = [
        URL,
        ("APP_CART", "30"),
        ("APP_MAIL__WORKERS", "70000"),
        ("APP_SERVER__BIND", "localhost"),
        ("APP_SERVER__BODY", "1 mb"),
        ("APP_SERVER__MIGRATE", "chek_only"),
        ("APP_SERVER__SAMPLE", "inf"),
        ("APP_SERVER__CLOCK", "yes"),
        ("APP_SERVER__FILES", ""),
    ];
    assert_eq!(
        wrong(&vars),
        [
            "`cart` from environment variable APP_CART is `30`: it must be a duration such as `500ms`, `10s`, `5m`, `2h` or `30d`, from 1h to 90d",
            "`mail.workers` from environment variable APP_MAIL__WORKERS is `70000`: it must be a whole number from 1 to 64",
            "`server.bind` from environment variable APP_SERVER__BIND is `localhost`: it must be an address with a port such as \
             `127.0.0.1:8000` or `[::1]:8000`",
            "`server.body` from environment variable APP_SERVER__BODY is `1 mb`: it must be a size such as `512 KiB` or `1 MiB`, of at most 64 MiB",
            "`server.migrate` from environment variable APP_SERVER__MIGRATE is `chek_only`: it must be `auto`, `check_only` or `off`; did \
             you mean `check_only`?",
            "`server.sample` from environment variable APP_SERVER__SAMPLE is `inf`: it must be a number such as `0.5`, from 0 to 1",
            "`server.clock` from environment variable APP_SERVER__CLOCK is `yes`: it must be `true` or `false`",
            "`server.files` from environment variable APP_SERVER__FILES is ``: it must be a path such as `data/files`",
        ]
    );
}

#[test]
fn limits_hold() {
    let vars = [
        URL,
        ("APP_CART", "91d"),
        ("APP_MAIL__WORKERS", "0"),
        ("APP_SERVER__BODY", "65 MiB"),
        ("APP_SERVER__SAMPLE", "-0.1"),
    ];
    assert_eq!(
        wrong(&vars),
        [
            "`cart` from environment variable APP_CART is `91d`: it must be from 1h to 90d",
            "`mail.workers` from environment variable APP_MAIL__WORKERS is `0`: it must be from 1 to 64",
            "`server.body` from environment variable APP_SERVER__BODY is `65 MiB`: it must be at most 64 MiB",
            "`server.sample` from environment variable APP_SERVER__SAMPLE is `-0.1`: it must be from 0 to 1",
        ]
    );
    assert!(wrong(&[URL, ("APP_CART", "90d"), ("APP_MAIL__WORKERS", "64")]).is_empty());
}

#[test]
fn values_of_a_file_have_types() {
    let folder = Folder::new(
        "quotes",
        &[(
            "base.toml",
            "sender = 5\nnote = [1]\nurl = 7\n[mail]\nworkers = \"4\"\ndomains = [\"a\", 1]\n[server]\nclock = \"true\"\n",
        )],
    );
    assert_eq!(
        messages(
            Loader::new("APP")
                .env([("A", "b")])
                .folder(folder.path())
                .load::<Shop>(),
            Some(&folder)
        ),
        [
            "`sender` from config/base.toml line 1 is `5`: it must be a text, in quotes",
            "`mail.workers` from config/base.toml line 5 is `4`: it must be a whole number from 1 to 64, without quotes",
            "`mail.domains` from config/base.toml line 6 is `a, 1`: it must be a list, and each item of it a text, in quotes",
            "`url` from config/base.toml line 3 is wrong (the value is secret and not shown): it must be a valid text",
            "`note` from config/base.toml line 2 is `1`: it must be a text, in quotes",
            "`server.clock` from config/base.toml line 8 is `true`: it must be `true` or `false`, without quotes",
        ]
    );
}

#[test]
fn missing_settings_are_reported_with_their_names() {
    assert_eq!(
        wrong(&[("A", "b")]),
        [
            "`url` is not set: give it as environment variable DATABASE_URL, or the path of a file with it as DATABASE_URL_FILE"
        ]
    );
    let folder = Folder::new("missing", &[]);
    let loader = Loader::new("APP")
        .env([("APP_MAIL__RELAY__PASSWORD", "hunter2")])
        .folder(folder.path());
    assert_eq!(
        messages(
            loader.environment(Environment::Test).load::<Shop>(),
            Some(&folder)
        ),
        [
            "`mail.relay.url` is not set: write it in config/base.toml or config/test.toml, or give it as environment variable \
             APP_MAIL__RELAY__URL",
            "`url` is not set: write it in config/base.toml or config/test.toml, or give it as environment variable DATABASE_URL, or the path of a file with it as DATABASE_URL_FILE",
        ]
    );
}

#[test]
fn an_unknown_environment_stops_at_once() {
    assert_eq!(
        wrong(&[("APP_ENV", "production"), ("APP_CART", "x")]),
        ["environment variable APP_ENV is `production`: it must be `dev`, `test` or `prod`"]
    );
}

#[test]
fn two_variables_of_one_setting_must_agree() {
    let message = "`url` is set twice, by the environment variables DATABASE_URL and APP_URL, with different values: keep one";
    assert_eq!(wrong(&[URL, ("APP_URL", "sqlite://other.db")]), [message]);
    assert!(wrong(&[URL, ("APP_URL", URL.1)]).is_empty());
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_not_quoted() {
    let folder = Folder::new(
        "broken",
        &[
            ("base.toml", "sender = \"a\"\nurl = hunter2\n"),
            ("extra.toml", "note = \"extra\""),
        ],
    );
    let loader = || Loader::new("APP").env([URL]).folder(folder.path());
    let broken = || {
        messages(
            Loader::new("APP")
                .env([("A", "b")])
                .folder(folder.path())
                .load::<Shop>(),
            Some(&folder),
        )
    };
    // `url` may be in the broken file, so it is not reported as missing.
    assert_eq!(
        broken(),
        [
            "config/base.toml line 2 is no TOML: string values must be quoted, expected literal string"
        ]
    );
    std::fs::write(
        folder.path().join("base.toml"),
        "url = \"x\"\nmail.workers = 0xhunter2",
    )
    .unwrap();
    assert_eq!(
        broken(),
        ["config/base.toml line 2 is no TOML: invalid hexadecimal number"]
    );
    std::fs::write(
        folder.path().join("base.toml"),
        "url = \"x\"\nmail.workers = 0x1_0000_0000_0000_0000_0000_0000_0000_0000",
    )
    .unwrap();
    assert_eq!(
        broken(),
        [
            "`mail.workers` from config/base.toml line 2 is `0x100000000000000000000000000000000`: it must be a whole number from 1 to 64"
        ]
    );

    std::fs::remove_file(folder.path().join("base.toml")).unwrap();
    let extra = loader()
        .file(folder.path().join("extra.toml"))
        .load::<Shop>()
        .unwrap();
    assert_eq!(extra.value.note.as_deref(), Some("extra"));
    assert_eq!(
        messages(
            loader()
                .file(folder.path().join("none.toml"))
                .load::<Shop>(),
            Some(&folder)
        ),
        [
            "config/none.toml cannot be read: No such file or directory (os error 2). Correct the path or the file's rights"
        ]
    );
}

#[test]
fn a_secret_is_in_no_message() {
    #[derive(Debug, Settings)]
    struct Keys {
        /// Signs.
        #[setting(min = "1 KiB")]
        key: Secret<ByteSize>,
        /// A plain text that contains a password all the same.
        plain: Option<SocketAddr>,
    }
    let vars = [
        ("APP_KEY", "hunter2"),
        ("APP_PLAIN", "redis://:hunter2@cache"),
    ];
    let error = Loader::new("APP").env(vars).load::<Keys>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 settings are wrong:\n- `key` from environment variable APP_KEY is wrong (the value is secret and not shown): it must be a valid \
         size, of at least 1 KiB\n- `plain` from environment variable APP_PLAIN is `redis://:***@cache`: it must be an address with a port such as \
         `127.0.0.1:8000` or `[::1]:8000`"
    );
    let small = Loader::new("APP")
        .env([("APP_KEY", "17")])
        .load::<Keys>()
        .unwrap_err()
        .to_string();
    assert_eq!(
        small,
        "a setting is wrong:\n- `key` from environment variable APP_KEY is wrong (the value is secret and not shown): it must be at least 1 KiB"
    );
}

#[test]
fn mistakes_of_the_program_are_reported_at_the_first_start() {
    #[derive(Debug, Settings)]
    struct Twice {
        /// A default that is none.
        #[setting(default = "30 days")]
        a: Duration,
        /// A limit that is none.
        #[setting(default = 1, min = "one")]
        b: u8,
        #[setting(flatten)]
        c: Other,
        /// Taken.
        env: Option<String>,
    }
    #[derive(Debug, Settings)]
    struct Other {
        /// The same.
        a: Option<String>,
    }
    let result = Loader::new("APP").env([("APP_A", "5s")]).load::<Twice>();
    assert_eq!(
        messages(result, None),
        [
            "two fields of the program have the setting `a`: rename one",
            "`env` cannot be a setting: APP_ENV names the environment. Rename the field",
            "`a` from its default in the program is `30 days`: it must be a duration such as `500ms`, `10s`, `5m`, `2h` or `30d`",
            "`b` from its default in the program is `1`: its `min`, `one`, is no limit for a whole number; correct the attribute in the program",
        ]
    );
}

#[test]
fn the_reference_is_a_table() {
    let table = reference::<Shop>("APP");
    let rows: Vec<&str> = table.lines().skip(2).take(8).collect();
    assert_eq!(
        rows,
        [
            "| `sender` | `APP_SENDER` | text | `shop@example.com` | What customers see as sender. |",
            "| `cart` | `APP_CART` | duration from 1h to 90d | `30d` | Longest time a cart lives. |",
            "| `mail.workers` | `APP_MAIL__WORKERS` | whole number from 1 to 64 | `4` | How many are sent \\| at once. |",
            "| `mail.domains` | `APP_MAIL__DOMAINS` | list of text | `example.com,example.org` | Who may be written to. |",
            "| `mail.relay.url` | `APP_MAIL__RELAY__URL` | text | none | Its address. |",
            "| `mail.relay.password` | `APP_MAIL__RELAY__PASSWORD` | text, secret | none | The password. |",
            "| `url` | `DATABASE_URL`, `APP_URL` | text, secret | required | Where the data is. |",
            "| `note` | `APP_NOTE` | text | none |  |",
        ]
    );
}
