//! A client of a few lines that can also do what no client should.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The data of server-sent events.
    pub fn events(&self) -> Vec<&str> {
        self.body.lines().filter_map(|line| line.strip_prefix("data: ")).collect()
    }
}

/// A request as it goes over the wire.
pub fn request(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A connection over which something has been sent.
pub fn sent(address: SocketAddr, bytes: &[u8]) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    stream.write_all(bytes).unwrap();
    BufReader::new(stream)
}

/// The reply to what was sent.
pub fn reply(stream: &mut BufReader<TcpStream>) -> Reply {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut head).unwrap() > 0, "the connection ended within {head:?}");
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut body = Vec::new();
    if head.contains("transfer-encoding: chunked") {
        loop {
            let mut size = String::new();
            stream.read_line(&mut size).unwrap();
            let mut chunk = vec![0; usize::from_str_radix(size.trim(), 16).unwrap() + 2];
            stream.read_exact(&mut chunk).unwrap();
            body.extend(&chunk[..chunk.len() - 2]);
            if chunk.len() == 2 {
                break;
            }
        }
    } else {
        stream.read_to_end(&mut body).unwrap();
    }
    Reply { status, head, body: String::from_utf8(body).unwrap() }
}

pub fn get(address: SocketAddr, path: &str) -> Reply {
    reply(&mut sent(address, &request("GET", path, b"")))
}

pub fn post(address: SocketAddr, path: &str, body: &Value) -> Reply {
    reply(&mut sent(address, &request("POST", path, body.to_string().as_bytes())))
}
