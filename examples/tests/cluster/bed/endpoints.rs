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
        let mut stream = TcpStream::connect(self.bed.envoy(proxy).trim_start_matches("http://")).unwrap();
        stream.write_all(b"GET /clusters HTTP/1.0\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        // `outbound|8000|stable|web.shop.svc.cluster.local::10.1.2.3:8080::cx_active::0`
        let host = format!(".{}.svc.cluster.local::", self.name);
        let address = |line: &str| {
            let (_, rest) = line.split_once(&host)?;
            let (ip, _) = rest.split_once("::")?.0.rsplit_once(':')?;
            Some(ip.to_owned())
        };
        text.lines().filter_map(address).collect()
    }
}
