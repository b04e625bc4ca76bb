//! Web servers of other people, on free ports of this machine.

use axum::Router;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Serves somebody who is made of the address and says what is asked there.
pub(crate) async fn open<T: Clone>(somebody: impl FnOnce(SocketAddr) -> T, routes: impl FnOnce(T) -> Router) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let somebody = somebody(listener.local_addr().expect("an address"));
    let routes = routes(somebody.clone());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    somebody
}
