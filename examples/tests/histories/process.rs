//! A controller that can be killed: nothing that it asks from then on reaches the server.

use crate::mesh::{DEBOUNCE, Mesh, PlayedFetch};
use examples::istio::with_istio;
use futures::future::pending;
use kube::{Client, client::Body};
use rollout_core::Time;
use rollout_istio::{Foreign, Istiod};
use rollout_kube::{
    ControlPlaneAt, Controller,
    testing::{CLIENT, Played},
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

/// What the clock says at the beginning.
const BEGIN: i64 = 1_800_000_000_000;

/// The time of a history that began then.
pub(crate) fn clock(began: Instant) -> Time {
    time_of(began, Instant::now())
}

/// What the clock of a history says, or said, at some time.
pub(crate) fn time_of(began: Instant, at: Instant) -> Time {
    Time::from_millis(BEGIN + i64::try_from(at.saturating_duration_since(began).as_millis()).unwrap())
}

pub(crate) struct Process {
    pub(crate) number: u32,
    task: JoinHandle<()>,
    lives: Arc<AtomicBool>,
}

impl Process {
    pub(crate) fn start(number: u32, server: &Played, mesh: Option<&Mesh>, began: Instant) -> Self {
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
                let mut builder = Controller::builder(client.clone()).clock(move || clock(began));
                if let Some(mesh) = mesh.clone() {
                    // The addresses are not asked for: the played istiod answers.
                    let at = ControlPlaneAt::new(Vec::new());
                    builder = builder.data_plane(at, |cluster| {
                        let fetch = PlayedFetch { cluster, mesh, was_answered: AtomicBool::default() };
                        Arc::new(Istiod::new(fetch).debounce(DEBOUNCE))
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
