//! A door in front of a server: it can be shut, or lead nowhere.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the door does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// It lets everything through.
    Open,
    /// Who is inside is thrown out, and who comes is sent away.
    Shut,
    /// Nobody gets an answer, nor learns that there is none.
    Silent,
}

/// A listener on loopback that passes bytes on.
#[derive(Debug)]
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// What it does.
    door: watch::Sender<Door>,
    /// Accepts connections.
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// An open door in front of `server`, on a free port.
    pub(crate) async fn before(server: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let (door, seen) = watch::channel(Door::Open);
        Self {
            address: listener.local_addr().unwrap(),
            door,
            accepting: tokio::spawn(accept(listener, server, seen)),
        }
    }

    /// Opens it, shuts it, or silences it.
    pub(crate) fn set(&self, door: Door) {
        self.door.send_replace(door);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Serves every connection in a task of its own.
async fn accept(listener: TcpListener, server: String, door: watch::Receiver<Door>) {
    loop {
        let (client, _) = listener.accept().await.unwrap();
        tokio::spawn(pass(client, server.clone(), door.clone()));
    }
}

/// Passes bytes on while the door is open. A connection that has met silence is never heard of again.
async fn pass(mut client: TcpStream, server: String, mut door: watch::Receiver<Door>) {
    let open = *door.borrow() == Door::Open;
    let passing = async {
        let mut server = TcpStream::connect(server).await?;
        copy_bidirectional(&mut client, &mut server).await
    };
    tokio::select! {
        // What an end does is its own affair.
        ended = passing, if open => drop(ended),
        changed = door.wait_for(|door| *door != Door::Open) => drop(changed),
    }
    if *door.borrow() == Door::Silent {
        drop(door.wait_for(|door| *door == Door::Shut).await);
    }
}
