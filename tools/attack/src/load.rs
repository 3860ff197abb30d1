//! A18 to A21, A35: slow clients, many connections, large bodies, disconnects.

use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use toolkit::http::Connection;
use toolkit::process::pause;

use crate::Attack;
use crate::target::Target;
use crate::verdict::{Tally, Verdict};

pub(crate) const ATTACKS: [Attack; 5] = [
    Attack {
        id: "A18",
        run: slow,
    },
    Attack {
        id: "A19",
        run: many_connections,
    },
    Attack {
        id: "A20",
        run: decompression,
    },
    Attack {
        id: "A21",
        run: multipart,
    },
    Attack {
        id: "A35",
        run: mixed_clients,
    },
];

/// Maximum time until a slow connection is closed. The default timeout for a head or a body is 10
/// s.
const CLOSED_WITHIN: Duration = Duration::from_secs(25);

fn slow(target: &Target) -> Verdict {
    const EACH: usize = 40;
    let mut tally = Tally::new(format!(
        "{} connections that send a letter now and then, or read nothing",
        3 * EACH
    ));
    let host = &target.host;
    let starts = [
        (
            "a slow head",
            format!("GET /livez HTTP/1.1\r\nHost: {host}\r\nX-a: "),
            "b",
        ),
        (
            "a slow body",
            format!(
                "POST /v1/auth/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n"
            ),
            " ",
        ),
        (
            "slow chunks",
            format!(
                "POST /v1/auth/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            ),
            "1\r\n \r\n",
        ),
    ];
    let mut wires = Vec::new();
    for (what, start, drop) in &starts {
        for _ in 0..EACH {
            let Ok(mut connection) = Connection::open(target.address) else {
                continue;
            };
            let _ = connection.send(start.as_bytes());
            let _ = connection.set_timeout(Duration::from_millis(1));
            wires.push((*what, *drop, connection));
        }
    }
    tally.check(
        wires.len() == 3 * EACH,
        format!("only {} connections were opened", wires.len()),
    );
    let since = Instant::now();
    let mut worst = Duration::ZERO;
    while !wires.is_empty() && since.elapsed() < CLOSED_WITHIN {
        let response = target.get("/livez").send();
        worst = worst.max(response.took);
        tally.check(
            response.status == 200 && response.took < Duration::from_secs(2),
            format!(
                "an honest client meanwhile: {} after {:?}",
                response.summary(),
                response.took
            ),
        );
        if target.options.quick && since.elapsed() > Duration::from_secs(1) {
            break;
        }
        wires.retain_mut(|(_, drop, connection)| {
            let gone = connection.send(drop.as_bytes()).is_err()
                || connection.receive(false).is_ok()
                || connection.is_closed();
            !gone
        });
        for _ in 0..4 {
            pause();
        }
    }
    tally.note(format!("honest client at worst {} ms", worst.as_millis()));
    if target.options.quick {
        tally.note("not waited until they are closed");
    } else {
        tally.note(format!(
            "the last closed after {:.0} s",
            since.elapsed().as_secs_f64()
        ));
        for (what, _, _) in &wires {
            tally.check(
                false,
                format!("{what} is still open after {CLOSED_WITHIN:?}"),
            );
        }
    }
    tally.verdict()
}

fn many_connections(target: &Target) -> Verdict {
    const COUNT: usize = 400;
    let mut tally = Tally::new(format!(
        "{COUNT} connections that say nothing, {COUNT} that are opened and cut"
    ));
    let wires: Vec<Connection> = (0..COUNT)
        .map_while(|_| Connection::open(target.address).ok())
        .collect();
    let response = target.get("/livez").may_shed().send();
    tally.expect(
        matches!(response.status, 200 | 503),
        "an honest client meanwhile",
        &response,
    );
    tally.note(format!("{} held open", wires.len()));
    drop(wires);
    for _ in 0..COUNT {
        if let Ok(mut connection) = Connection::open(target.address) {
            let _ = connection.send(b"POST /v1/auth/login HTTP/1.1\r\nHost");
        }
    }
    let until = Instant::now() + Duration::from_secs(5);
    let mut response = target.get("/livez").may_shed().send();
    while response.status != 200 && Instant::now() < until {
        pause();
        response = target.get("/livez").may_shed().send();
    }
    tally.expect_status(&[200], "afterwards", &response);
    tally.verdict()
}

/// Returns this many bytes, compressed to a thousandth.
fn bomb(size: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let block = vec![b' '; 1 << 20];
    for _ in 0..size / block.len() {
        let _ = encoder.write_all(&block);
    }
    encoder.finish().unwrap_or_default()
}

fn decompression(target: &Target) -> Verdict {
    let once = bomb(16 << 20);
    let mut tally = Tally::new(format!(
        "16 MiB of blanks in {} KiB of gzip, the same twice over, br, zstd, unknown and empty codings",
        once.len() >> 10
    ));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let _ = encoder.write_all(&once);
    let twice = encoder.finish().unwrap_or_default();
    for (coding, body) in [
        ("gzip", &once),
        ("gzip, gzip", &twice),
        ("x-gzip", &once),
        ("GZIP", &once),
        ("deflate", &once),
        ("br", &once),
        ("zstd", &once),
        ("evil", &once),
        ("identity, gzip", &once),
        ("gzip;q=1", &once),
    ] {
        let ask = target
            .request("POST", "/v1/auth/login")
            .header("content-encoding", coding);
        let response = ask.bytes("application/json", body.clone()).send();
        // 400: read without decompression, the body is not JSON.
        tally.expect(
            matches!(response.status, 400 | 413 | 415) && response.took.as_secs() < 3,
            coding,
            &response,
        );
    }
    tally.verdict()
}

fn multipart(target: &Target) -> Verdict {
    let mut tally = Tally::new(
        "forms of 10 000 parts, of 10 000 fields in one part, without an end, where JSON is wanted; bodies past the limit",
    );
    let parts: String = (0..10_000)
        .map(|n| format!("--x\r\nContent-Disposition: form-data; name=\"{n}\"\r\n\r\n\r\n"))
        .collect();
    let fields = format!("--x\r\n{}\r\n", "A: b\r\n".repeat(10_000));
    for (what, kind, body) in [
        ("many parts", "multipart/form-data; boundary=x", parts),
        ("many fields", "multipart/form-data; boundary=x", fields),
        (
            "no end",
            "multipart/form-data; boundary=x",
            "--x\r\n".to_owned(),
        ),
        ("no boundary", "multipart/form-data", "--x--".to_owned()),
        (
            "a form",
            "application/x-www-form-urlencoded",
            "email=a&password=b".to_owned(),
        ),
        ("plain text", "text/plain", "{}".to_owned()),
        (
            "XML with an entity",
            "application/xml",
            "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>".to_owned(),
        ),
    ] {
        let response = target
            .request("POST", "/v1/auth/login")
            .bytes(kind, body.into_bytes())
            .send();
        tally.expect_status(&[415, 413], what, &response);
    }
    let host = &target.host;
    for (what, head) in [
        ("a length of 1 TiB", "Content-Length: 1099511627776\r\n"),
        (
            "the same, with Expect",
            "Content-Length: 1099511627776\r\nExpect: 100-continue\r\n",
        ),
    ] {
        let bytes = format!(
            "POST /v1/auth/login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Type: application/json\r\n{head}\r\n"
        );
        let response = Connection::open(target.address).and_then(|mut connection| {
            connection.send(bytes.as_bytes())?;
            connection.receive(false)
        });
        tally.expect_status(&[413], what, &response.unwrap_or_default());
    }
    let fields: String = (0..300).map(|n| format!("x-{n}: y\r\n")).collect();
    for (what, head, good) in [
        ("300 fields", fields, &[200, 400, 431][..]),
        (
            "a field of 200 KB",
            format!("x-a: {}\r\n", "y".repeat(200_000)),
            &[431],
        ),
        ("a path of 20 KB", String::new(), &[414, 431]),
    ] {
        let path = if head.is_empty() {
            format!("/{}", "a".repeat(20_000))
        } else {
            "/livez".to_owned()
        };
        let bytes =
            format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{head}\r\n");
        let response = Connection::open(target.address).and_then(|mut connection| {
            let _ = connection.send(bytes.as_bytes());
            connection.receive(false)
        });
        tally.expect_status(good, what, &response.unwrap_or_default());
    }
    tally.verdict()
}

fn mixed_clients(target: &Target) -> Verdict {
    const CLIENTS: usize = 16;
    const REQUESTS: usize = 60;
    let (ada, ben) = match target.accounts.both() {
        Ok(both) => both,
        Err(why) => return Verdict::not_applicable(why),
    };
    let mut tally = Tally::new(format!(
        "{CLIENTS} clients with {REQUESTS} requests each on one connection, while others cut theirs in the middle"
    ));
    let wrong: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let who = if number % 2 == 0 { ada } else { ben };
                scope.spawn(move || one_client(target, number, REQUESTS, &who.token, &who.id))
            })
            .collect();
        clients
            .into_iter()
            .flat_map(|client| {
                client
                    .join()
                    .unwrap_or_else(|_| vec!["a client panicked".into()])
            })
            .collect()
    });
    tally.note(format!(
        "{} answers, each to the right client",
        CLIENTS * REQUESTS
    ));
    for wrong in wrong {
        tally.check(false, wrong);
    }
    tally.verdict()
}

fn one_client(
    target: &Target,
    number: usize,
    requests: usize,
    token: &str,
    id: &str,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let Ok(mut connection) = Connection::open(target.address) else {
        return vec!["no connection".into()];
    };
    for request in 0..requests {
        let mark = format!("attack{number:02}x{request:04}");
        let text = format!(
            "GET /v1/me HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nX-Request-Id: {mark}\r\n\r\n",
            target.host
        );
        if request % 5 == 0
            && let Ok(mut cut) = Connection::open(target.address)
        {
            let _ = cut.send(text.as_bytes());
        }
        let response = connection
            .send(text.as_bytes())
            .and_then(|()| connection.receive(false));
        let response = match response {
            Ok(response) => response,
            Err(error) => {
                wrong.push(format!("{mark}: {error}"));
                return wrong;
            }
        };
        let limited = response.status == 429;
        let right = response.status == 200 && response.at("/id") == id;
        if !(right || limited) || response.header("x-request-id") != Some(mark.as_str()) {
            wrong.push(format!(
                "{mark}: {} as {:?}",
                response.summary(),
                response.header("x-request-id")
            ));
        }
        if response
            .header("connection")
            .is_some_and(|value| value.eq_ignore_ascii_case("close"))
        {
            match Connection::open(target.address) {
                Ok(next) => connection = next,
                Err(error) => wrong.push(error.to_string()),
            }
        }
    }
    wrong
}
