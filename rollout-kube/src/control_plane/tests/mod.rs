mod rounds;

use super::*;
use crate::store::{
    Requests,
    mock::{Answer, server},
};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpListener,
};

/// A control plane at a port that answers every request with these bytes, followed by blanks without end if `endless`;
/// and the requests it received.
fn control_plane(answer: &'static [u8], endless: bool) -> (Address, Arc<Mutex<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let received: Arc<Mutex<String>> = Arc::default();
    let recording = Arc::clone(&received);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            recording.lock().unwrap().push_str(&String::from_utf8_lossy(&request[..read]));
            stream.write_all(answer).unwrap();
            while endless && stream.write_all(&[b' '; 4096]).is_ok() {}
        }
    });
    (address, received)
}

fn pod(namespace: &str, name: &str, phase: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "status": {"phase": phase}, "metadata": {
        "name": name, "namespace": namespace, "uid": name, "resourceVersion": "1"}})
}

fn plane(at: ControlPlaneAt, namespace: Option<&str>) -> ControlPlane {
    let (client, _) = server(|asked| match asked.uri.as_str() {
        uri if uri.contains("watch=") => Answer::Never,
        uri if uri.ends_with("/far/pods/done") => Answer::ok(pod("far", "done", "Succeeded")),
        uri if uri.ends_with("/far/pods/web") => Answer::ok(pod("far", "web", "Running")),
        uri if uri.ends_with("/pods/none") => Answer::Is(404, json!({"kind": "Status", "code": 404})),
        uri if uri.contains("/pods/") => panic!("{uri}"),
        _ => Answer::ok(json!({"metadata": {"resourceVersion": "1"}, "items": [
                pod("shop", "web", "Running"), pod("shop", "ended", "Failed")]})),
    });
    let (caches, _changes) = Caches::new(Requests::new(client, "us"), namespace.map(str::to_owned));
    ControlPlane::new(at, namespace, Arc::new(caches), Arc::new(crate::rollout::wall_clock)).unwrap()
}

#[tokio::test]
async fn an_answer_without_an_end_is_refused_at_the_limit() {
    let (address, _) = control_plane(b"HTTP/1.1 200 OK\r\n\r\n[", true);
    let plane = plane(ControlPlaneAt::new(vec![address]).limit(1 << 20), None);
    let fetched = plane.fetch(&["/debug/syncz"]).await;
    assert_eq!(fetched[0].answers, [Err(NoAnswer::TooLarge(1 << 20))]);
}

#[tokio::test]
async fn a_closed_port_and_a_refusal_are_distinguished() {
    let (address, _) = control_plane(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", false);
    let closed: Address = "http://127.0.0.1:1".parse().unwrap();
    let plane = plane(ControlPlaneAt::new(vec![address, closed]), None);
    let fetched = plane.fetch(&["/debug/syncz"]).await;
    assert_eq!(fetched[0].answers, [Err(NoAnswer::Status(403))]);
    assert_eq!(fetched[1].answers, [Err(NoAnswer::Closed)]);
}

#[tokio::test]
async fn a_token_is_sent_to_this_machine() {
    let (address, received) = control_plane(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", false);
    let file = std::env::temp_dir().join(format!("rollout-kube-token-{}", std::process::id()));
    std::fs::write(&file, "secret\n").unwrap();
    let plane = plane(ControlPlaneAt::new(vec![address]).token_file(Some(file.clone())), None);
    assert_eq!(plane.fetch(&["/debug/syncz"]).await[0].answers, [Ok(b"[]".to_vec())]);
    std::fs::remove_file(file).unwrap();
    let received = received.lock().unwrap().to_lowercase();
    assert!(
        received.contains("get /debug/syncz") && received.contains("authorization: bearer secret"),
        "{received}"
    );
}

#[test]
fn the_timeout_grows_with_slow_answers_up_to_a_limit() {
    let mut pace = Pace::default();
    assert_eq!(pace.timeout(), Duration::from_secs(10));
    pace.answered(Duration::from_secs(8));
    assert_eq!(pace.timeout(), Duration::from_secs(32));
    pace.silent = 9;
    assert_eq!(pace.timeout(), LONGEST_TIMEOUT);
    pace.answered(Duration::from_millis(1));
    assert!(pace.timeout() > Duration::from_secs(20), "a slow answer is forgotten slowly");
}

#[tokio::test]
async fn a_pod_is_read_from_the_server_only_on_request() {
    let pods = [("shop", "web"), ("shop", "other"), ("far", "web"), ("shop", "ended")];
    let all = plane(ControlPlaneAt::new(Vec::new()), None);
    assert_eq!(all.pods(&pods, false).await, [Some(true), None, None, Some(false)]);
    let one = plane(ControlPlaneAt::new(Vec::new()), Some("shop"));
    assert_eq!(
        one.pods(&pods, false).await,
        [Some(true), None, None, Some(false)],
        "no request for other namespaces"
    );
    let live = [("far", "web"), ("far", "none"), ("far", "done")];
    assert_eq!(all.pods(&live, true).await, [Some(true), Some(false), Some(false)]);
}

/// A proxy names itself, and the name would become part of a path.
#[tokio::test]
async fn an_invalid_pod_name_is_never_sent() {
    let plane = plane(ControlPlaneAt::new(Vec::new()), None);
    for (namespace, name) in [
        ("shop", "web?watch=true"),
        ("shop", "../x"),
        ("shop", ".."),
        ("a/b", "web"),
        ("", "web"),
        ("shop", ""),
    ] {
        assert_eq!(plane.pods(&[(namespace, name)], true).await, [None], "{namespace}/{name}");
    }
}
