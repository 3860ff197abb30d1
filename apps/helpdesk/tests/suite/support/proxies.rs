//! nginx and HAProxy, in front of two programs.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;

/// A proxy in front of two programs. Killed when it is dropped.
pub(crate) struct Proxy {
    child: Child,
    folder: PathBuf,
    pub(crate) address: SocketAddr,
}

/// An address on which nothing listens.
pub(crate) fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

impl Proxy {
    /// Starts a program with a configuration, which is made from its folder and its address.
    pub(crate) async fn start(
        name: &str,
        args: &[&str],
        config: impl FnOnce(&Path, SocketAddr) -> String,
    ) -> Self {
        let address = free();
        let folder = std::env::temp_dir().join(format!("doyen-{name}-{}", address.port()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("config");
        std::fs::write(&file, config(&folder, address)).unwrap();
        let child = Command::new(name)
            .args(args)
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{name} cannot be started ({error}): `cargo xtask setup` installs it")
            });
        let listens = async {
            while TcpStream::connect(address).await.is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let proxy = Self {
            child,
            folder,
            address,
        };
        let listens = tokio::time::timeout(Duration::from_secs(20), listens).await;
        assert!(listens.is_ok(), "{name} does not listen");
        proxy
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A configuration of nginx for two programs.
pub(crate) fn nginx(folder: &Path, address: SocketAddr, programs: [SocketAddr; 2]) -> String {
    let [a, b] = programs;
    let servers = format!("server {a} max_fails=0; server {b} max_fails=0;");
    nginx_with(folder, address, &servers)
}

/// A configuration of nginx for these servers. Streams, sockets and uploads pass through at once.
pub(crate) fn nginx_with(folder: &Path, address: SocketAddr, servers: &str) -> String {
    let folder = folder.display();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};"))
        .collect();
    format!(
        "daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
         events {{ worker_connections 512; }}
         http {{
            access_log off; {temporary}
            map $http_upgrade $connection_header {{ default upgrade; \"\" \"\"; }}
            upstream helpdesk {{ {servers} keepalive 16; }}
            server {{
                listen {address};
                location / {{
                    proxy_pass http://helpdesk;
                    proxy_http_version 1.1;
                    proxy_set_header Host $http_host;
                    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                    proxy_set_header X-Forwarded-Proto $scheme;
                    proxy_set_header Connection $connection_header;
                    proxy_set_header Upgrade $http_upgrade;
                    proxy_request_buffering off;
                }}
            }}
         }}"
    )
}

pub(crate) fn haproxy(address: SocketAddr, programs: [SocketAddr; 2]) -> String {
    let [a, b] = programs;
    format!(
        "defaults
            mode http
            timeout connect 10s
            timeout client 30s
            timeout server 30s
            timeout check 10s
            retries 3
            option redispatch 1
        frontend in
            bind {address}
            default_backend helpdesk
        backend helpdesk
            option httpchk GET /readyz
            default-server check inter 100ms fall 1 rise 1
            server a {a}
            server b {b}\n"
    )
}
