//! A watch that is taken up again where it was cut, so that no change is missed.

use super::RUNTIME;
use futures::{StreamExt as _, TryStreamExt as _};
use kube::{
    Api,
    api::{DynamicObject, ListParams, WatchEvent, WatchParams},
};
use std::time::Duration;
use tokio::task::JoinHandle;

/// Tells every change of one kind from the moment of the call on, until the task is aborted: the object, and whether
/// it is still there.
pub(crate) fn follow(
    api: Api<DynamicObject>,
    mut take: impl FnMut(DynamicObject, bool) + Send + 'static,
) -> JoinHandle<()> {
    let now = RUNTIME.block_on(api.list(&ListParams::default().limit(1))).unwrap();
    let mut version = now.metadata.resource_version.unwrap();
    RUNTIME.spawn(async move {
        loop {
            let Ok(stream) = api.watch(&WatchParams::default(), &version).await else {
                tokio::time::sleep(Duration::from_millis(200)).await;
                continue;
            };
            let mut stream = stream.boxed();
            while let Ok(Some(event)) = stream.try_next().await {
                let (object, is_there) = match event {
                    WatchEvent::Added(object) | WatchEvent::Modified(object) => (object, true),
                    WatchEvent::Deleted(object) => (object, false),
                    WatchEvent::Bookmark(_) => continue,
                    WatchEvent::Error(_) => break,
                };
                version.clone_from(object.metadata.resource_version.as_ref().unwrap());
                take(object, is_there);
            }
        }
    })
}
