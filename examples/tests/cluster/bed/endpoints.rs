use super::{Namespace, period::pass};
use std::{
    collections::BTreeSet,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

impl Namespace {
    /// Waits until every ReplicaSet has the pods that it wants, and no Envoy has a pod of this namespace that is gone, or
    /// going. Kubernetes removes pods and asks no proxy: who stops istiod right after fewer pods were asked for, loses
    /// requests whatever the controller does.
    pub(crate) fn until_proxies_follow(&self, within: Duration) {
        let end = Instant::now() + within;
        loop {
            let (wanted, there) = self.seen(|seen| {
                let wanted = seen.objects("ReplicaSet").filter_map(|set| set["spec"]["replicas"].as_u64());
                let pods = seen.objects("Pod").filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
                let addresses = pods.filter_map(|pod| pod["status"]["podIP"].as_str().map(str::to_owned));
                (wanted.sum::<u64>(), addresses.collect::<BTreeSet<_>>())
            });
            let mut known =
                ["sidecar-1", "sidecar-2", "gateway"].into_iter().flat_map(|proxy| self.known_to(proxy));
            if u64::try_from(there.len()) == Ok(wanted) && known.all(|address| there.contains(&address)) {
                return;
            }
            assert!(
                Instant::now() < end,
                "{there:?} of {wanted} are there, and an Envoy has others: {}",
                self.report()
            );
            pass(Duration::from_millis(200));
        }
    }

    /// The addresses of this namespace's pods, as an Envoy has them.
    fn known_to(&self, proxy: &str) -> BTreeSet<String> {
        let text = get(self.bed.envoy(proxy).trim_start_matches("http://"), "/clusters");
        // `outbound|8000|stable|web.shop.svc.cluster.local::10.1.2.3:8080::cx_active::0`
        let host = format!(".{}.svc.cluster.local::", self.name);
        let address = |line: &str| {
            let (_, rest) = line.split_once(&host)?;
            let (ip, _) = rest.split_once("::")?.0.rsplit_once(':')?;
            Some(ip.to_owned())
        };
        let known: BTreeSet<String> = text.lines().filter_map(address).collect();
        assert!(text.contains("::cx_active::"), "{proxy} does not say what it has: {text}");
        known
    }
}

/// Asks an Envoy about itself; long answers come in chunks.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: envoy\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, mut rest) = answer.split_once("\r\n\r\n").unwrap();
    if !head.contains("chunked") {
        return rest.to_owned();
    }
    let mut body = String::new();
    while let Some((size, chunks)) = rest.split_once("\r\n") {
        let (chunk, left) = chunks.split_at(usize::from_str_radix(size, 16).unwrap());
        body.push_str(chunk);
        rest = left.trim_start_matches("\r\n");
    }
    body
}
