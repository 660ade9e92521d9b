//! When the resolver or the network is to blame.

use std::net::TcpListener;

use tokio::runtime::Runtime;

use super::*;
use crate::dns::system::Files;
use crate::options::{Addresses, Dns};

#[test]
fn a_failure_of_the_network_is_the_sites_while_the_reference_answers() {
    let runtime = Runtime::new().unwrap();
    let dns = Dns::default();
    let names = Names::new(&dns, Files::default(), runtime.handle()).unwrap();
    let (names, policy) = (Arc::new(names), Policy::new(&Addresses::default()));
    let policy = Arc::new(policy);
    // the port of one that is gone: a refusal is an answer
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let failed = Reason::ConnectFailed;
    for (host, suspect, reason, message) in [
        (
            "127.0.0.1",
            Some(Suspect::Network),
            failed,
            "no route".to_owned(),
        ),
        (
            "224.0.0.1",
            Some(Suspect::Network),
            Reason::LocalNetwork,
            format!("no route; nor can 224.0.0.1:{port} be reached"),
        ),
        ("224.0.0.1", None, failed, "no route".to_owned()),
        (
            "::1%1",
            Some(Suspect::Network),
            failed,
            "no route".to_owned(),
        ),
        (
            "::1%nowhere0",
            Some(Suspect::Network),
            Reason::LocalNetwork,
            format!("no route; nor can [::1%nowhere0]:{port} be reached"),
        ),
    ] {
        let host = host.to_owned();
        let reference = Some(Reference { host, port });
        let connectivity = Connectivity::new(Arc::clone(&names), Arc::clone(&policy), reference);
        let fault = Fault {
            suspect,
            ..Fault::at("connect", failed, "no route")
        };
        let decided = Fault::at("connect", reason, message);
        assert_eq!(connectivity.decide(fault), decided);
    }
}
