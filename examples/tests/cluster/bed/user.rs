use super::Namespace;
use serde_json::Value;
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

/// A user with a browser: it keeps one cookie and sends it with each request.
#[derive(Debug, Clone, Default)]
pub(crate) struct User {
    /// `NAME=VALUE`, as the last answer that set one said.
    pub(crate) cookie: Option<String>,
}

impl User {
    /// Sends a request to a Service through an Envoy, and returns the revision that answered.
    pub(crate) fn visit(&mut self, space: &Namespace, proxy: &str, service: &str, port: u16) -> String {
        let host = format!("{service}.{}", space.name);
        let mut stream = through(space, proxy, &host, port);
        let cookie = self.cookie.as_ref().map(|cookie| format!("Cookie: session=x; {cookie}\r\n"));
        let request = format!(
            "GET / HTTP/1.1\r\nHost: {host}:{port}\r\n{}Connection: close\r\n\r\n",
            cookie.unwrap_or_default()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
        for line in head.lines() {
            if let Some((name, value)) = line.split_once(": ")
                && name.eq_ignore_ascii_case("set-cookie")
            {
                self.cookie = Some(value.split(';').next().unwrap().to_owned());
            }
        }
        // The body may come in chunks, each with its length before it.
        let json = &body[body.find('{').unwrap()..=body.rfind('}').unwrap()];
        let pod: Value = serde_json::from_str(json).unwrap();
        let labels = pod.as_object().unwrap().iter().find(|(key, _)| key.eq_ignore_ascii_case("labels"));
        labels.unwrap().1["rollouts-pod-template-hash"].as_str().unwrap().to_owned()
    }
}

/// A connection to a name, through the SOCKS5 proxy of an Envoy's host.
fn through(space: &Namespace, proxy: &str, host: &str, port: u16) -> TcpStream {
    let proxies = space.bed.about["proxies"].as_array().unwrap();
    let proxy = proxies.iter().find(|one| one["name"] == proxy).unwrap();
    let mut stream = TcpStream::connect(proxy["socks"].as_str().unwrap()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // Version 5, one method, none to authenticate; then: connect to a name (RFC 1928).
    stream.write_all(&[5, 1, 0]).unwrap();
    let mut chosen = [0; 2];
    stream.read_exact(&mut chosen).unwrap();
    assert_eq!(chosen, [5, 0]);
    let mut connect = vec![5, 1, 0, 3, u8::try_from(host.len()).unwrap()];
    connect.extend(host.as_bytes());
    connect.extend(port.to_be_bytes());
    stream.write_all(&connect).unwrap();
    let mut answer = [0; 10];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(answer[..2], [5, 0], "not connected to {host}:{port}");
    stream
}
