//! RFC 6455 over a raw socket: the cases of the usual protocol suite that apply to text messages.

use doyen_test::{Live as Server, Setup};
use serde_json::json;

use crate::kit::{CLOSE, Frame, PING, PONG, RawSocket, Shop, TEXT, encode, key, quick};

const FIN: u8 = 0x80;
const CONTINUE: u8 = 0;
const BINARY: u8 = 2;

/// The code of a connection that ends without a close frame.
const NONE: u16 = 1006;

struct Echo(Shop);

impl doyen_test::Subject for Echo {
    fn app() -> doyen::App {
        Shop::app()
    }
    fn setup() -> Setup {
        quick()
            .set("live.messages_per_second", "100000")
            .set("live.max_message", "200000")
    }
    fn new(app: doyen_test::TestApp) -> Self {
        Self(Shop::new(app))
    }
}

/// The message of which the server sends this text back.
fn echo(text: &str) -> Vec<u8> {
    json!({"type": "echo", "text": text})
        .to_string()
        .into_bytes()
}

async fn open(server: &Server) -> RawSocket {
    RawSocket::open(server, &key("buyer")).await
}

/// Sends bytes on a new socket, and returns the code with which it ends.
async fn end_of(server: &Server, bytes: &[u8]) -> u16 {
    let mut socket = open(server).await;
    socket.bytes(bytes).await;
    while let Some(frame) = socket.read().await {
        if frame.opcode == CLOSE {
            return if frame.payload.is_empty() {
                1005
            } else {
                frame.close().0
            };
        }
    }
    NONE
}

async fn expect_echo(socket: &mut RawSocket, text: &str) {
    let frame = socket.read().await.expect("an echo");
    assert_eq!((frame.fin, frame.opcode), (true, TEXT));
    let message: serde_json::Value = serde_json::from_slice(&frame.payload).unwrap();
    assert_eq!(message["text"], text);
}

#[doyen_test::test(sqlite)]
async fn messages_of_every_length_form_arrive(app: Echo) {
    let server = app.0.serve().await;
    let mut socket = open(&server).await;
    for length in [
        0, 1, 90, 91, 92, 125, 126, 127, 128, 4096, 65_500, 65_509, 65_536, 100_000,
    ] {
        let text = "*".repeat(length);
        socket.frame(FIN | TEXT, &echo(&text)).await;
        expect_echo(&mut socket, &text).await;
    }
    // In pieces of one byte, as a slow network delivers them.
    for byte in encode(FIN | TEXT, &echo("slow"), true) {
        socket.bytes(&[byte]).await;
        tokio::task::yield_now().await;
    }
    expect_echo(&mut socket, "slow").await;
}

#[doyen_test::test(sqlite)]
async fn a_fragmented_message_is_one_message(app: Echo) {
    let server = app.0.serve().await;
    let mut socket = open(&server).await;
    let message = echo("κόσμε in pieces");
    for size in [1, 2, 3, 7, message.len() / 2] {
        let mut pieces = message.chunks(size).peekable();
        let mut opcode = TEXT;
        while let Some(piece) = pieces.next() {
            let fin = if pieces.peek().is_none() { FIN } else { 0 };
            socket.frame(fin | opcode, piece).await;
            opcode = CONTINUE;
        }
        expect_echo(&mut socket, "κόσμε in pieces").await;
    }
    // Empty fragments, and a ping between them.
    socket.frame(TEXT, b"").await;
    socket.frame(CONTINUE, &message).await;
    socket.frame(FIN | PING, b"between").await;
    socket.frame(FIN | CONTINUE, b"").await;
    let pong = socket.read().await.unwrap();
    assert_eq!(
        pong,
        Frame {
            fin: true,
            opcode: PONG,
            payload: b"between".to_vec()
        }
    );
    expect_echo(&mut socket, "κόσμε in pieces").await;
}

#[doyen_test::test(sqlite)]
async fn a_ping_gets_a_pong_with_its_payload(app: Echo) {
    let server = app.0.serve().await;
    let mut socket = open(&server).await;
    for payload in [&b""[..], b"payload", &[0, 255, 254, 128], &[42; 125]] {
        socket.frame(FIN | PING, payload).await;
        let pong = socket.read().await.unwrap();
        assert_eq!(
            pong,
            Frame {
                fin: true,
                opcode: PONG,
                payload: payload.to_vec()
            }
        );
    }
    // A pong that answers no ping is ignored.
    socket.frame(FIN | PONG, b"unasked").await;
    for n in 0..10_u8 {
        socket.frame(FIN | PING, &[n]).await;
    }
    for n in 0..10_u8 {
        assert_eq!(socket.read().await.unwrap().payload, [n]);
    }
    assert_eq!(
        end_of(&server, &encode(FIN | PING, &[42; 126], true)).await,
        1002
    );
}

#[doyen_test::test(sqlite)]
async fn violations_of_the_framing_close_with_1002(app: Echo) {
    let server = app.0.serve().await;
    let text = echo("x");
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    for bits in 1..8_u8 {
        let first = FIN | bits << 4;
        cases.push((
            format!("reserved bits {bits}"),
            encode(first | TEXT, &text, true),
        ));
        cases.push((
            format!("reserved bits {bits} of a ping"),
            encode(first | PING, b"", true),
        ));
    }
    for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
        cases.push((format!("opcode {opcode}"), encode(FIN | opcode, b"", true)));
        cases.push((
            format!("opcode {opcode} with a payload"),
            encode(FIN | opcode, b"x", true),
        ));
    }
    for opcode in [CLOSE, PING, PONG] {
        cases.push((
            format!("fragmented control frame {opcode}"),
            encode(opcode, b"", true),
        ));
    }
    cases.push(("unmasked".to_owned(), encode(FIN | TEXT, &text, false)));
    cases.push(("unmasked ping".to_owned(), encode(FIN | PING, b"x", false)));
    cases.push((
        "continuation of nothing".to_owned(),
        encode(FIN | CONTINUE, &text, true),
    ));
    cases.push((
        "first fragment of nothing".to_owned(),
        encode(CONTINUE, &text, true),
    ));
    let two = [encode(TEXT, b"{", true), encode(FIN | TEXT, &text, true)].concat();
    cases.push(("a message within a message".to_owned(), two));
    let two = [encode(BINARY, b"{", true), encode(FIN | TEXT, &text, true)].concat();
    cases.push(("a text within a binary message".to_owned(), two));
    for (name, bytes) in &cases {
        assert_eq!(end_of(&server, bytes).await, 1002, "{name}");
    }
    assert!(cases.len() > 30, "{}", cases.len());
    // What came before the violation is answered.
    let mut socket = open(&server).await;
    let both = [
        encode(FIN | TEXT, &echo("before"), true),
        encode(FIN | 0x40 | TEXT, &text, true),
    ];
    socket.bytes(&both.concat()).await;
    expect_echo(&mut socket, "before").await;
    assert_eq!(socket.closed().await.0, 1002);
}

#[doyen_test::test(sqlite)]
async fn a_text_that_is_not_utf_8_closes_with_1007(app: Echo) {
    let server = app.0.serve().await;
    for invalid in [
        &b"\x80"[..],
        b"\xbf\xbf",
        b"\xc0\xaf",
        b"\xc1\xbf",
        b"\xe0\x80\xaf",
        b"\xed\xa0\x80",
        b"\xed\xbf\xbf",
        b"\xf0\x80\x80\xaf",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\xfe",
        b"\xff",
        b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
        b"cut off \xf0\x9f\x98",
    ] {
        let frame = encode(FIN | TEXT, invalid, true);
        assert_eq!(end_of(&server, &frame).await, 1007, "{invalid:?}");
        // Over fragments, also split within the character.
        let (start, end) = invalid.split_at(invalid.len() / 2);
        let two = [encode(TEXT, start, true), encode(FIN | CONTINUE, end, true)];
        assert_eq!(
            end_of(&server, &two.concat()).await,
            1007,
            "{invalid:?} in fragments"
        );
    }
    // An invalid fragment is noticed before the message ends.
    let early = encode(TEXT, b"\xf4\x90\x80\x80", true);
    assert_eq!(end_of(&server, &early).await, 1007);
    // Characters at the limits are valid.
    let mut socket = open(&server).await;
    for text in [
        "\u{7f}\u{80}",
        "\u{7ff}\u{800}",
        "\u{d7ff}\u{e000}",
        "\u{ffff}\u{10000}",
        "\u{10ffff}",
    ] {
        socket.frame(FIN | TEXT, &echo(text)).await;
        expect_echo(&mut socket, text).await;
    }
}

#[doyen_test::test(sqlite)]
async fn close_frames_are_answered_as_the_rfc_says(app: Echo) {
    let server = app.0.serve().await;
    let close = |code: u16, reason: &[u8]| {
        encode(
            FIN | CLOSE,
            &[&code.to_be_bytes()[..], reason].concat(),
            true,
        )
    };
    for code in [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999,
    ] {
        assert_eq!(end_of(&server, &close(code, b"why")).await, code);
    }
    for code in [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999] {
        assert_eq!(end_of(&server, &close(code, b"why")).await, 1002, "{code}");
    }
    assert_eq!(end_of(&server, &encode(FIN | CLOSE, b"", true)).await, 1005);
    // A code of one byte, a reason that is too long or not UTF-8.
    assert_eq!(
        end_of(&server, &encode(FIN | CLOSE, b"x", true)).await,
        1002
    );
    assert_eq!(end_of(&server, &close(1000, &[b'x'; 124])).await, 1002);
    assert_eq!(end_of(&server, &close(1000, &[b'x'; 123])).await, 1000);
    assert_eq!(
        end_of(&server, &close(1000, b"\xce\xba\xed\xa0\x80")).await,
        1007
    );
    // Nothing after a close frame is handled, and the server closes the connection.
    let mut socket = open(&server).await;
    let bytes = [
        close(1000, b""),
        encode(FIN | TEXT, &echo("late"), true),
        encode(FIN | PING, b"", true),
    ];
    socket.bytes(&bytes.concat()).await;
    assert_eq!(socket.closed().await.0, 1000);
    assert_eq!(socket.read().await, None);
}

#[doyen_test::test(sqlite)]
async fn a_message_above_the_limit_closes_with_1009_before_it_is_read(app: Echo) {
    let server = app.0.serve().await;
    // The head of a frame of eight exbibytes: nothing else is sent.
    let head = [
        FIN | TEXT,
        0x80 | 127,
        0x7f,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        0,
        0,
        0,
        0,
    ];
    assert_eq!(end_of(&server, &head).await, 1009);
    let mut large = vec![b' '; 200_001];
    assert_eq!(
        end_of(&server, &encode(FIN | TEXT, &large, true)).await,
        1009
    );
    // The fragments together count.
    large.truncate(150_000);
    let two = [
        encode(TEXT, &large, true),
        encode(FIN | CONTINUE, &large, true),
    ];
    assert_eq!(end_of(&server, &two.concat()).await, 1009);
}

#[doyen_test::test(sqlite)]
async fn a_binary_message_closes_with_1003(app: Echo) {
    let server = app.0.serve().await;
    assert_eq!(
        end_of(&server, &encode(FIN | BINARY, &echo("x"), true)).await,
        1003
    );
}

#[doyen_test::test(sqlite)]
async fn a_client_that_disconnects_in_any_state_leaves_nothing_behind(app: Echo) {
    let server = app.0.serve().await;
    let whole = encode(FIN | TEXT, &echo("cut"), true);
    for length in [0, 1, 2, 5, 6, whole.len() - 1, whole.len()] {
        let mut socket = open(&server).await;
        socket.bytes(&whole[..length]).await;
        drop(socket);
    }
    let hub = app.0.inject::<std::sync::Arc<doyen::live::Hub>>().await;
    let gone = async {
        while !format!("{hub:?}").contains("connections: 0") {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(crate::kit::HANG, gone)
        .await
        .expect("every socket ends");
}
