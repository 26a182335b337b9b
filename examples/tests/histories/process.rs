//! A controller that can be killed: nothing that it asks from then on reaches the server.

use crate::{
    fetch::{Asking, PlayedFetch},
    mesh::{Mesh, clock, istiod::QUIET},
    provider::{Moods, PlayedProvider},
};
use examples::istio::with_istio;
use futures::future::pending;
use kube::{Client, client::Body};
use rollout_istio::{Foreign, Istiod};
use rollout_kube::{
    Analysis, ControlPlaneAt, Controller,
    testing::{CLIENT, SimulatedApiServer},
};
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep},
};

pub(crate) struct Process {
    pub(crate) number: u32,
    task: JoinHandle<()>,
    lives: Arc<AtomicBool>,
}

impl Process {
    /// One that asks the mesh, if there is one, in this way; and metric providers, if there are any.
    pub(crate) fn start(
        number: u32,
        server: &SimulatedApiServer,
        (mesh, asking): (Option<&Mesh>, Asking),
        providers: Option<(Moods, u64)>,
        began: Instant,
    ) -> Self {
        let lives = Arc::new(AtomicBool::new(true));
        let (client, is_alive) = (server.client(), Arc::clone(&lives));
        let service = tower::service_fn(move |mut request: http::Request<Body>| {
            request.headers_mut().insert(CLIENT, number.into());
            let (client, is_alive) = (client.clone(), Arc::clone(&is_alive));
            async move {
                if !is_alive.load(Ordering::Relaxed) {
                    pending::<()>().await;
                }
                client.send(request).await.map_err(io::Error::other)
            }
        });
        let client = Client::new(service, "default");
        let mesh = mesh.cloned();
        let task = tokio::spawn(async move {
            loop {
                let mut builder =
                    Controller::builder(client.clone()).clock(move || clock(began, Instant::now()));
                if let Some((moods, seed)) = providers.clone() {
                    let provider = PlayedProvider::new(moods, seed);
                    builder = builder.analysis(Analysis::new()).provider(provider);
                }
                if let Some(mesh) = mesh.clone() {
                    let asking = asking.clone();
                    // The addresses are not asked for: the played istiod answers.
                    let at = ControlPlaneAt::new(Vec::new());
                    builder = builder.data_plane(at, move |cluster| {
                        let fetch =
                            PlayedFetch { cluster, mesh, asking, was_answered: AtomicBool::default() };
                        Arc::new(Istiod::new(fetch).debounce(QUIET))
                    });
                }
                let controller = with_istio(builder, Foreign::Of(Arc::default()));
                // One that cannot begin is started again, as on a cluster.
                drop(controller.run().await);
                sleep(Duration::from_secs(5)).await;
            }
        });
        Self { number, task, lives }
    }

    pub(crate) fn kill(self) {
        self.lives.store(false, Ordering::Relaxed);
        self.task.abort();
    }
}
