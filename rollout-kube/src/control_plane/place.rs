use super::Address;
use std::path::PathBuf;

/// Where a control plane is, and how to query it.
///
/// ```
/// use rollout_kube::ControlPlaneAt;
/// let at = ControlPlaneAt::new(vec!["http://127.0.0.1:15014".parse()?]).limit(8 << 20);
/// # let _ = at;
/// # Ok::<(), rollout_kube::InvalidAddress>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "pass it to a controller"]
pub struct ControlPlaneAt {
    pub(super) replicas: Vec<Address>,
    pub(super) token: Option<PathBuf>,
    pub(super) limit: usize,
}

impl ControlPlaneAt {
    /// Takes the addresses of all replicas: the proxies of an omitted replica are unknown.
    ///
    /// See [`ControlPlane`](crate::ControlPlane) for an example.
    pub fn new(replicas: Vec<Address>) -> Self {
        Self { replicas, token: None, limit: 32 << 20 }
    }

    /// Sets a file with a token, which is read for every request. The token is sent only where it
    /// [may](Address::may_have_token) be. Default: none.
    ///
    /// ```
    /// use rollout_kube::ControlPlaneAt;
    /// let at = ControlPlaneAt::new(vec!["https://istiod.example:8443".parse()?]);
    /// let token = "/var/run/secrets/tokens/istio-token";
    /// let shown = format!("{:?}", at.token_file(Some(token.into())));
    /// assert!(shown.contains(token), "the path: the token itself is never kept");
    /// # Ok::<(), rollout_kube::InvalidAddress>(())
    /// ```
    pub fn token_file(mut self, file: Option<PathBuf>) -> Self {
        self.token = file;
        self
    }

    /// Sets the most bytes of one answer; a larger answer is rejected. Up to three answers are read at a time from each
    /// replica. Default 32 MiB.
    ///
    /// See [`ControlPlane`](crate::ControlPlane) for an example.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }
}
