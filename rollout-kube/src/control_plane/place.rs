use super::Address;
use std::path::PathBuf;

/// Where a control plane is, and how it is asked.
///
/// ```
/// use rollout_kube::ControlPlaneAt;
/// let at = ControlPlaneAt::new(vec!["http://127.0.0.1:15014".parse()?]).limit(8 << 20);
/// # let _ = at;
/// # Ok::<(), rollout_kube::InvalidAddress>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "it is handed to a controller"]
pub struct ControlPlaneAt {
    pub(super) replicas: Vec<Address>,
    pub(super) token: Option<PathBuf>,
    pub(super) limit: usize,
}

impl ControlPlaneAt {
    /// All replicas, each of them: who is left out is not asked what its proxies have.
    pub fn new(replicas: Vec<Address>) -> Self {
        Self { replicas, token: None, limit: 32 << 20 }
    }

    /// A file with a token, which is read at every question. It goes only where it
    /// [may](Address::may_have_token). Default: none.
    pub fn token_file(mut self, file: Option<PathBuf>) -> Self {
        self.token = file;
        self
    }

    /// So many bytes of one answer are read; one that is larger is no answer. Up to three are read at a time from
    /// each replica. Default 32 MiB.
    pub fn limit(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }
}
