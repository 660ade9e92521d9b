//! Advertised: whether clients reach the brokers where these tell them to.
//!
//! A client is given the address of one broker, and is told those of all by it: `advertised.listeners`. Where these
//! cannot be reached, librdkafka has one of several things to say, and never that setting.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use rdkafka::metadata::MetadataBroker;

use crate::config::KafkaConfig;
use crate::error::KafkaError;

/// How long a broker may take to be found and to take a connection.
const LIMIT: Duration = Duration::from_secs(2);

/// Where a broker sends clients, and why they do not reach it there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nowhere {
    /// `host:port`.
    pub(crate) advertised: String,
    /// Why.
    pub(crate) cause: String,
}

impl Nowhere {
    /// The error of brokers that were configured like this.
    pub(crate) fn error(self, config: &KafkaConfig) -> KafkaError {
        let Self { advertised, cause } = self;
        KafkaError::Advertised {
            brokers: config.brokers.join(","),
            advertised,
            cause,
        }
    }
}

/// The first of these brokers, if none of them can be reached where it says. Blocks for as long as [`LIMIT`] for each
/// broker.
pub(crate) fn unreachable(brokers: &[MetadataBroker]) -> Option<Nowhere> {
    let mut first = None;
    for broker in brokers {
        let nowhere = unreachable_broker(broker)?;
        first.get_or_insert(nowhere);
    }
    first
}

/// This broker, if it cannot be reached where it says.
pub(crate) fn unreachable_broker(broker: &MetadataBroker) -> Option<Nowhere> {
    let (host, port) = (broker.host(), broker.port());
    let cause = dial(host, port).err()?;
    let advertised = if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    Some(Nowhere { advertised, cause })
}

/// Connects, and hangs up. On a thread of its own, as nothing ends a look for a name in time.
fn dial(host: &str, port: i32) -> Result<(), String> {
    let port = u16::try_from(port).map_err(|_| format!("{port} is no port"))?;
    let (tell, told) = sync_channel(1);
    let host = host.to_owned();
    let dialling = move || {
        // None listens any more when it took too long.
        drop(tell.send(connect(&host, port)));
    };
    let thread = thread::Builder::new().name("dial a broker".to_owned());
    drop(
        thread
            .spawn(dialling)
            .map_err(|error| format!("cannot start a thread: {error}"))?,
    );
    let late = || {
        Err(format!(
            "no answer within {}",
            humantime::format_duration(LIMIT)
        ))
    };
    told.recv_timeout(LIMIT).unwrap_or_else(|_| late())
}

/// Connects to the first address of a name that takes a connection.
fn connect(host: &str, port: u16) -> Result<(), String> {
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|error| format!("the name cannot be resolved: {error}"))?;
    let mut cause = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect_timeout(&address, LIMIT) {
            Ok(_) => return Ok(()),
            Err(error) => cause = error.to_string(),
        }
    }
    Err(cause)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_port_that_listens_is_reached_and_others_say_why_not() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = i32::from(listener.local_addr().unwrap().port());
        dial("127.0.0.1", port).unwrap();
        drop(listener);
        let refused = dial("127.0.0.1", port).unwrap_err();
        assert!(refused.contains("refused"), "{refused}");
        let unknown = dial("kafka-1.invalid", 9_092).unwrap_err();
        assert!(
            unknown.contains("cannot be resolved") || unknown.contains("no answer"),
            "{unknown}"
        );
        assert_eq!(dial("127.0.0.1", -1).unwrap_err(), "-1 is no port");
    }
}
