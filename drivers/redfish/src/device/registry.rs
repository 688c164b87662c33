//! All devices that were spoken with lately, each once. Who is not needed any more is logged out.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, Weak, mpsc};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::Device;
use crate::properties::Target;
use crate::settings::Settings;
use crate::tls::TlsConfigs;

/// How long the host's end waits for devices to close their sessions; they forget them by themselves too.
const FAREWELL: Duration = Duration::from_secs(3);

/// The devices, by what nodes say of them.
pub(crate) struct Devices {
    settings: Arc<Settings>,
    tls: Arc<TlsConfigs>,
    known: Mutex<HashMap<Target, Arc<Device>>>,
    /// The driver's runtime, once a call has run on it.
    runtime: OnceLock<Handle>,
}

impl Devices {
    pub(crate) fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Devices {
            settings: Arc::new(settings),
            tls: Arc::default(),
            known: Mutex::default(),
            runtime: OnceLock::new(),
        })
    }

    /// The TLS configurations of all devices.
    pub(crate) fn tls(&self) -> &TlsConfigs {
        &self.tls
    }

    /// The device of a node. To be called on the driver's runtime.
    pub(crate) fn get(self: &Arc<Self>, target: Target) -> Arc<Device> {
        let runtime = self.runtime.get_or_init(Handle::current);
        let mut known = self.known.lock();
        if let Some(device) = known.get(&target) {
            return Arc::clone(device);
        }
        let device = Arc::new(Device::new(
            target.clone(),
            Arc::clone(&self.settings),
            Arc::clone(&self.tls),
        ));
        known.insert(target, Arc::clone(&device));
        runtime.spawn(retire(Arc::downgrade(self), Arc::clone(&device)));
        device
    }

    /// Forgets a device that nobody has used for long enough, and says when to look again otherwise.
    fn forget_idle(&self, device: &Arc<Device>) -> Option<Instant> {
        let mut known = self.known.lock();
        let until = *device.used.lock() + self.settings.session_idle;
        // The registry and the task that asks here hold it, and a call that is under way.
        let busy = Arc::strong_count(device) > 2;
        if busy || until > Instant::now() {
            return Some(until.max(Instant::now() + self.settings.poll_interval));
        }
        known.remove(&device.target);
        None
    }

    /// Logs out everywhere. To be called outside the driver's runtime, after the last call.
    pub(crate) fn close(&self) {
        let Some(runtime) = self.runtime.get() else {
            return;
        };
        let devices = std::mem::take(&mut *self.known.lock());
        let (done, all_done) = mpsc::channel::<()>();
        for device in devices.into_values() {
            let done = done.clone();
            runtime.spawn(async move {
                device.log_out().await;
                drop(done);
            });
        }
        drop(done);
        // Ends when the last sender is gone.
        let _ = all_done.recv_timeout(FAREWELL);
    }
}

/// Waits until a device is not used any more, and logs out.
async fn retire(devices: Weak<Devices>, device: Arc<Device>) {
    let mut look = Instant::now() + device.settings.session_idle;
    loop {
        tokio::time::sleep_until(look.into()).await;
        let Some(devices) = devices.upgrade() else {
            return;
        };
        match devices.forget_idle(&device) {
            Some(later) => look = later,
            None => break,
        }
    }
    device.log_out().await;
}
