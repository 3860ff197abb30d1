//! Delivery to a mail server, on a socket.

#![cfg(feature = "smtp")]

use std::time::Duration;

use doyen_core::{Mail, Mailer as _};
use doyen_mail::Smtp;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The server's response to the recipient.
#[derive(Clone, Copy)]
enum Behaviour {
    Takes,
    Busy,
    Refuses,
    Silent,
}

/// A minimal mail server for one connection. Returns every line it received.
async fn server(behaviour: Behaviour) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let talk = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (read, mut write) = stream.into_split();
        let mut lines = BufReader::new(read).lines();
        let mut seen = Vec::new();
        let mut data = false;
        if !matches!(behaviour, Behaviour::Silent) {
            write.write_all(b"220 test\r\n").await.unwrap();
        }
        while let Ok(Some(line)) = lines.next_line().await {
            let word = line.split(' ').next().unwrap().to_owned();
            seen.push(line);
            let answer = match (&*word, data) {
                (".", true) => {
                    data = false;
                    "250 taken\r\n"
                }
                (_, true) => continue,
                ("EHLO", _) => "250-test\r\n250 8BITMIME\r\n",
                ("RCPT", _) => match behaviour {
                    Behaviour::Takes | Behaviour::Silent => "250 yes\r\n",
                    Behaviour::Busy => "450 try later\r\n",
                    Behaviour::Refuses => "550 no such mailbox\r\n",
                },
                ("DATA", _) => {
                    data = true;
                    "354 go on\r\n"
                }
                ("QUIT", _) => "221 bye\r\n",
                _ => "250 yes\r\n",
            };
            if write.write_all(answer.as_bytes()).await.is_err() {
                break;
            }
        }
        seen
    });
    (url, talk)
}

fn smtp(url: &str, timeout: Duration) -> Smtp {
    Smtp::new(url, "Shop <shop@example.com>", timeout).unwrap()
}

const LONG: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_mail_arrives_as_it_was_written() {
    let (url, talk) = server(Behaviour::Takes).await;
    let text =
        "Dear Ada,\r\n.\r\nRCPT TO:<eve@example.com>\nhttps://shop.example.com/reset#token=a-b_c\n";
    let mail = Mail::new("ada@example.com", "Grüße: your order", text).unwrap();
    smtp(&url, LONG).deliver(&mail).await.unwrap();
    let seen = talk.await.unwrap();
    let starting = |word: &str| seen.iter().filter(|line| line.starts_with(word)).count();
    assert_eq!(starting("MAIL FROM:<shop@example.com>"), 1, "{seen:?}");
    assert_eq!(starting("RCPT TO:<ada@example.com>"), 1, "{seen:?}");
    assert_eq!(starting("To: ada@example.com"), 1, "{seen:?}");
    assert_eq!(starting("Subject: =?utf-8?"), 1, "{seen:?}");
    assert_eq!(starting("Auto-Submitted: auto-generated"), 1, "{seen:?}");
    // The dot alone did not end the mail, and the next line was not a command.
    let end = seen.iter().position(|line| line == ".").unwrap();
    let trap = seen
        .iter()
        .position(|line| line.starts_with("RCPT TO:<eve"))
        .unwrap();
    assert!(trap < end, "{seen:?}");
    assert!(
        seen.iter().any(|line| line.contains("#token=3Da-b_c")),
        "{seen:?}"
    );
}

#[tokio::test]
async fn a_busy_server_is_tried_again_and_one_that_refuses_is_not() {
    let mail = Mail::new("ada@example.com", "s", "t").unwrap();
    for (behaviour, again) in [(Behaviour::Busy, true), (Behaviour::Refuses, false)] {
        let (url, _talk) = server(behaviour).await;
        let error = smtp(&url, LONG).deliver(&mail).await.unwrap_err();
        assert_eq!(error.may_try_again(), again, "{error:?}");
    }
}

#[tokio::test]
async fn an_unreachable_or_silent_server_is_retried() {
    let mail = Mail::new("ada@example.com", "s", "t").unwrap();
    let away = smtp("smtp://127.0.0.1:1", LONG).deliver(&mail).await;
    assert!(away.unwrap_err().may_try_again());
    let (url, talk) = server(Behaviour::Silent).await;
    let silent = smtp(&url, Duration::from_millis(50)).deliver(&mail).await;
    assert!(silent.unwrap_err().may_try_again());
    talk.abort();
}
