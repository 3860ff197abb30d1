//! Layers, mounts and files over a real connection.

use std::sync::Arc;

use doyen::prelude::*;
use doyen::web::around::{BoxLayer, Slot};
use doyen::web::{Files, Peer, Server, ServerOptions, Service};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::kit::{App, Log, app};

/// A server, until it is dropped.
struct Running {
    address: std::net::SocketAddr,
    _stop: oneshot::Sender<()>,
}

async fn serve(service: Service) -> Running {
    let options = ServerOptions::new(([127, 0, 0, 1], 0).into());
    let server = Server::bind(service, options).await.unwrap();
    let address = server.address().tcp().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    tokio::spawn(server.run_until(async move {
        let _ = stopped.await;
    }));
    Running {
        address,
        _stop: stop,
    }
}

async fn connect(server: &Running, request: &str) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// Echo the length of a body
#[post("/length", allow = anyone)]
async fn length(body: doyen::web::extract::Bytes) -> Text {
    Text(body.len().to_string())
}

fn layered(slot: Slot, log: &Arc<Log>) -> App {
    let log = Arc::clone(log);
    let layer = BoxLayer::around(move |request: Request, next: Next| {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0.ip());
        log.note(format!("{peer:?}"));
        next.run(request)
    });
    let module = Module::new("m").routes(routes![length]);
    app(Service::builder().module(module).layer(slot, layer))
}

#[tokio::test]
async fn a_request_through_layers_has_its_client_and_its_body() {
    for slot in [Slot::Request, Slot::Route] {
        let log = Arc::<Log>::default();
        let app = layered(slot, &log);
        let server = serve(app.service.clone()).await;
        let head = "POST /length HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n";
        let body = "x".repeat(300_000);
        let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        let answer = read_to_end(&mut connect(&server, &request).await).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with("\r\n300000"), "{slot}: {answer}");
        let line = app.line();
        assert_eq!(line.client, Some("127.0.0.1".parse().unwrap()), "{slot}");
        if slot == Slot::Request {
            assert_eq!(log.take(), ["Some(127.0.0.1)"]);
        }
        // What was held for the request is released with it.
        assert_eq!(app.service.pressure().disconnected, 0);
    }
}

/// A head that the server rejects is no request that a layer could handle.
#[tokio::test]
async fn an_ambiguous_head_does_not_reach_the_layers() {
    let log = Arc::<Log>::default();
    let app = layered(Slot::Request, &log);
    let server = serve(app.service.clone()).await;
    let request = "POST /length HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
    let answer = read_to_end(&mut connect(&server, request).await).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(log.take(), [""; 0]);
}

/// A client that reads slowly costs a chunk, not the file.
#[tokio::test]
async fn a_large_file_is_read_as_fast_as_the_client_reads() {
    const LENGTH: u64 = 32 << 20;
    let folder = std::env::temp_dir().join(format!("doyen-large-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = std::fs::File::create(folder.join("large.bin")).unwrap();
    file.set_len(LENGTH).unwrap();
    let module = Module::new("m").files("/", anyone, Files::new(&folder));
    let app = app(Service::builder().module(module));
    let server = serve(app.service.clone()).await;
    let request = "GET /large.bin HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let mut stream = connect(&server, request).await;
    let (mut received, mut most) = (0, 0);
    let mut chunk = vec![0; 16 << 10];
    loop {
        let read = stream.read(&mut chunk).await.unwrap();
        if read == 0 {
            break;
        }
        received += read as u64;
        most = most.max(app.service.pressure().buffered);
        tokio::task::yield_now().await;
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!((LENGTH..LENGTH + 2000).contains(&received), "{received}");
    assert!(most < 2 << 20, "{most} bytes were held for one client");
    let line = app.line();
    assert_eq!((line.status, line.route.as_deref()), (200, Some("/")));
}
