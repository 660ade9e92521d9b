//! Which addresses are left to be dialled, at each point of a check.

use std::time::Duration;

use ureq::http::Method;

use super::*;
use crate::options::Addresses;
use crate::proxy::Route;

/// What is left of these addresses, at the first hop or behind a redirect from an address that is
/// public or not.
fn vetted(redirect_from_public: Option<bool>, addresses: &[&str]) -> Result<Vec<String>, Reason> {
    observed::begin(Duration::from_secs(1), 0);
    observed::begin_hop(&Method::GET, "http://a.example/", 0);
    if let Some(public) = redirect_from_public {
        observed::with(|observed| observed.public = public);
        observed::begin_hop(&Method::GET, "http://b.example/", 0);
    }
    let allow = ["127.0.0.0/8", "10.0.0.1/32", "168.63.129.16/32"];
    let addresses_config = Addresses {
        allow: allow.map(|net| net.parse().unwrap()).to_vec(),
        deny: vec!["8.8.4.4/32".parse().unwrap()],
    };
    let dialler = Dialler {
        policy: Arc::new(Policy::new(&addresses_config)),
        answers: Arc::default(),
        sockets: SocketBudget::new(0),
    };
    let addresses = addresses
        .iter()
        .map(|text| SocketAddr::new(text.parse().unwrap(), 80));
    let left = dialler.vet(&addresses.collect::<Vec<_>>());
    left.map(|left| {
        left.iter()
            .map(|address| address.ip().to_string())
            .collect()
    })
    .map_err(|fault| fault.reason)
}

#[test]
fn addresses_are_refused_only_when_none_is_left() {
    let some = ["10.0.0.2", "8.8.8.8", "8.8.4.4", "127.0.0.1", "::1"];
    assert_eq!(vetted(None, &some).unwrap(), ["8.8.8.8", "127.0.0.1"]);
    assert_eq!(
        vetted(None, &["10.0.0.2", "8.8.4.4"]),
        Err(Reason::AddressRefused)
    );
}

#[test]
fn an_address_that_the_site_leads_to_is_the_fault_of_the_site() {
    for address in [
        "10.0.0.2",
        "169.254.169.254",
        "8.8.4.4",
        "::1",
        "::ffff:10.0.0.2",
    ] {
        assert_eq!(vetted(None, &[address]), Err(Reason::AddressRefused));
        for public in [true, false] {
            assert_eq!(vetted(Some(public), &[address]), Err(Reason::Redirects));
        }
    }
}

#[test]
fn a_redirect_from_a_public_address_to_a_private_one_is_refused_in_every_mode() {
    let allowed = ["127.0.0.1", "10.0.0.1", "168.63.129.16", "::ffff:127.0.0.1"];
    for address in allowed {
        assert!(vetted(None, &[address]).is_ok(), "{address}");
        assert!(vetted(Some(false), &[address]).is_ok(), "{address}");
        assert_eq!(
            vetted(Some(true), &[address]),
            Err(Reason::Redirects),
            "{address}"
        );
    }
    let mixed = ["127.0.0.1", "8.8.8.8", "10.0.0.1"];
    assert_eq!(vetted(Some(true), &mixed).unwrap(), ["8.8.8.8"]);
}

#[test]
fn to_its_proxy_a_check_is_sent_by_the_owner_on_every_hop() {
    let url = "http://proxy.example:3128".parse().unwrap();
    let route = Arc::new(Route::new(&url, None));
    let dialler = Dialler {
        policy: Arc::new(Policy::new(&Addresses::default())),
        answers: Arc::default(),
        sockets: SocketBudget::new(0),
    };
    observed::begin(Duration::from_secs(1), 0);
    for _ in 0..2 {
        observed::begin_hop(&Method::GET, "http://a.example/", 0);
        route.begin_hop();
        let refused = dialler.vet(&["10.0.0.2:3128".parse().unwrap()]);
        assert_eq!(refused.unwrap_err().reason, Reason::AddressRefused);
    }
}
