//! A thousand slow devices at once: none of them holds a thread. The devices are the project's own: no emulator has a thousand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;
use suite::{Authority, HostProcess, Pending};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Barrier;
use tokio_rustls::TlsAcceptor;

use super::{builder, create};

/// So many devices, each at an address of its own.
const DEVICES: usize = 1_000;
/// How long each of them takes to answer, once all have been asked.
const TAKES: Duration = Duration::from_secs(2);
/// The host's threads inside drivers.
const WORKERS: usize = 32;

/// Devices that answer everything with the same resource, slowly: none of them before all have been asked.
struct Devices {
    asked: AtomicUsize,
    all_asked: Barrier,
}

impl Devices {
    /// Starts them, and gives their ports.
    async fn start(self: Arc<Self>, authority: &Authority) -> Vec<u16> {
        let acceptor = TlsAcceptor::from(authority.server());
        let mut ports = Vec::new();
        for _ in 0..DEVICES {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            ports.push(listener.local_addr().unwrap().port());
            let (devices, acceptor) = (Arc::clone(&self), acceptor.clone());
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    // A client that leaves is none of the device's business.
                    let _left = devices.serve(&acceptor, stream).await;
                }
            });
        }
        ports
    }

    async fn serve(&self, acceptor: &TlsAcceptor, stream: TcpStream) -> std::io::Result<()> {
        let mut stream = acceptor.accept(stream).await?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await?);
        }
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.all_asked.wait().await;
        tokio::time::sleep(TAKES).await;
        let answer =
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 20\r\n\r\n{\"Id\":\"slow device\"}";
        stream.write_all(answer).await?;
        stream.shutdown().await
    }
}

#[test]
fn a_thousand_calls_of_slow_devices_hold_no_threads_while_reads_are_served() {
    suite::allow_open_files(8 * DEVICES as u64);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let authority = Authority::new();
    let devices = Arc::new(Devices {
        asked: AtomicUsize::new(0),
        all_asked: Barrier::new(DEVICES),
    });
    let ports = runtime.block_on(Arc::clone(&devices).start(&authority));
    let host = builder()
        .set("drivers.redfish.config.read_timeout_ms", 300_000)
        .set("workers.max", i64::try_from(WORKERS).unwrap())
        .start();
    let ca = authority.write(host.folder());
    for (number, port) in ports.iter().enumerate() {
        let driver_info = json!({"redfish_address": format!("127.0.0.1:{port}"), "redfish_verify_ca": ca});
        create(&host, &format!("n{number}"), driver_info);
    }

    let started = Instant::now();
    let calls: Vec<Pending> = (0..DEVICES).map(|number| ask(&host, number)).collect();
    let (mut reads, mut threads) = (0, 0);
    while calls.iter().any(|call| !call.is_answered()) {
        host.get("/v1/drivers").expect(200);
        host.get("/v1/nodes/n1").expect(200);
        reads += 2;
        threads = threads.max(host.threads());
    }
    for call in calls {
        assert_eq!(call.wait().expect(200).json()["body"]["Id"], "slow device");
    }
    let took = started.elapsed();
    println!("{DEVICES} calls of {TAKES:?} took {took:?}: {threads} threads, {reads} reads meanwhile");
    let asked = devices.asked.load(Ordering::SeqCst);
    assert_eq!(asked, DEVICES, "each is asked once");
    // What 32 threads would need if each waited for one device at a time: 62 seconds.
    let with_threads = TAKES * u32::try_from(DEVICES / WORKERS).unwrap();
    assert!(took < with_threads, "{took:?}");
    assert!(threads < 2 * WORKERS, "{threads} threads");
    assert!(reads > 0);
}

fn ask(host: &HostProcess, number: usize) -> Pending {
    let target = format!("/v1/nodes/n{number}/vendor_passthru?method=request");
    host.request("GET", &target)
        .json(&json!({"path": "/redfish/v1/Systems"}))
        .start()
}
