//! The port of the pages: every connection has a bound in time and size, and all together one in number, so that
//! nobody who merely holds connections open keeps an operator out for long. It does not know what a page says.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at one time. Over it a new one is closed at once.
pub const CONNECTIONS_MAX: usize = 64;
/// Bytes of a request line and its headers. Over it: 431.
pub const HEAD_BYTES_MAX: usize = 16 * 1_024;
/// Time for a request line and headers to arrive, and for a connection to be idle between two requests.
const HEAD_READ_MAX: Duration = Duration::from_secs(5);
/// Life of a connection: longer than the longest build that `strowger reload` waits for.
const CONNECTION_MAX: Duration = Duration::from_secs(300);
/// Pause before the next try when the system gives no connection (no descriptor is free).
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Serves until the task is dropped.
pub async fn serve(listener: TcpListener, pages: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let service = TowerToHyperService::new(pages.clone().layer(Extension(ConnectInfo(peer))));
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_READ_MAX).max_buf_size(HEAD_BYTES_MAX);
        let connection = http.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            // What goes wrong on a connection is its client's to notice.
            let _ = tokio::time::timeout(CONNECTION_MAX, connection).await;
            drop(place);
        });
    }
}
