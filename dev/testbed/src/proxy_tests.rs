//! What a link does to what goes through it.

use super::*;

/// How long something that must happen may take.
const SOON: Duration = Duration::from_secs(10);
/// How long nothing happens, if nothing is to happen.
const WHILE: Duration = Duration::from_millis(200);

/// A server that gives back what it gets, and a link to it.
async fn echo() -> Proxy {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                drop(tokio::io::copy(&mut from, &mut to).await);
            });
        }
    });
    Proxy::start(address).await
}

/// Says something; what comes back within a deadline.
async fn say(stream: &mut TcpStream, deadline: Duration) -> Option<io::Result<[u8; 2]>> {
    let mut answer = [0; 2];
    let answered = async {
        stream.write_all(b"hi").await?;
        stream.read_exact(&mut answer).await?;
        Ok(answer)
    };
    tokio::time::timeout(deadline, answered).await.ok()
}

/// Whether the connection is reset.
async fn is_reset(stream: &mut TcpStream) -> bool {
    let said = say(stream, SOON).await;
    said.is_some_and(|answer| answer.is_err())
}

#[tokio::test]
async fn a_link_passes_and_delays_both_directions() {
    let proxy = echo().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(&say(&mut stream, SOON).await.unwrap().unwrap(), b"hi");
    proxy.set(Mode::Delay(Duration::from_millis(50)));
    let asked = Instant::now();
    assert_eq!(&say(&mut stream, SOON).await.unwrap().unwrap(), b"hi");
    assert!(asked.elapsed() >= Duration::from_millis(100));
}

#[tokio::test]
async fn a_link_that_is_cut_resets_old_connections_and_new_ones() {
    let proxy = echo().await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(say(&mut old, SOON).await.unwrap().is_ok());
    proxy.set(Mode::Cut);
    assert!(is_reset(&mut old).await);
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(is_reset(&mut new).await);
    proxy.set(Mode::Pass);
    let mut healed = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(say(&mut healed, SOON).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_link_that_swallows_is_silent_and_its_connections_never_heal() {
    let proxy = echo().await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(say(&mut old, SOON).await.unwrap().is_ok());
    proxy.set(Mode::Swallow);
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    for stream in [&mut old, &mut new] {
        assert!(say(stream, WHILE).await.is_none());
    }
    proxy.set(Mode::Pass);
    for stream in [&mut old, &mut new] {
        assert!(is_reset(stream).await);
    }
}

#[tokio::test]
async fn a_link_that_stalls_loses_nothing() {
    let proxy = echo().await;
    let mut stream = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(say(&mut stream, SOON).await.unwrap().is_ok());
    proxy.set(Mode::Stall);
    assert!(say(&mut stream, WHILE).await.is_none());
    proxy.set(Mode::Pass);
    let mut late = [0; 2];
    stream.read_exact(&mut late).await.unwrap();
    assert_eq!(&late, b"hi");
}

#[tokio::test]
async fn a_link_that_forgets_is_silent_for_old_connections_only() {
    let proxy = echo().await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(say(&mut old, SOON).await.unwrap().is_ok());
    proxy.set(Mode::Forget);
    assert!(say(&mut old, WHILE).await.is_none());
    let mut new = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(say(&mut new, SOON).await.unwrap().is_ok());
    proxy.set(Mode::Pass);
    assert!(say(&mut old, WHILE).await.is_none());
    assert!(say(&mut new, SOON).await.unwrap().is_ok());
}
