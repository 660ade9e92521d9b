//! The address policy, address by address.

use super::*;

#[path = "policy_table.rs"]
mod policy_table;

/// A policy that allows and denies these networks.
fn policy(allow: &[&str], deny: &[&str]) -> Policy {
    let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Policy::new(&Addresses {
        allow: nets(allow),
        deny: nets(deny),
    })
}

fn check(policy: &Policy, address: &str) -> Result<(), Refusal> {
    policy.check(address.parse().unwrap())
}

#[test]
fn every_network_is_judged_to_its_edges() {
    let closed = policy(&[], &[]);
    let rows: Vec<_> = policy_table::TABLE.lines().collect();
    assert!(rows.len() >= 180, "{} rows", rows.len());
    for row in rows {
        let mut words = row.split_whitespace();
        let verdict = match check(&closed, words.next().unwrap()) {
            Ok(()) => "public",
            Err(Refusal::NotPublic) => "closed",
            Err(Refusal::Metadata) => "metadata",
            Err(Refusal::Denied) => "denied",
        };
        assert_eq!(words.next(), Some(verdict), "{row}");
    }
}

#[test]
fn what_is_public_does_not_depend_on_the_configuration() {
    for row in policy_table::TABLE.lines() {
        let mut words = row.split_whitespace();
        let address = words.next().unwrap().parse().unwrap();
        let public = words.next() == Some("public");
        assert_eq!(is_public(address), public, "{row}");
    }
}

#[test]
fn metadata_services_need_their_exact_address() {
    let services = [
        "169.254.169.254",
        "169.254.0.1",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "fe80::1",
        "fd00:ec2::254",
        "fd20:ce::254",
    ];
    let open = policy(
        &["0.0.0.0/0", "::/0", "169.254.0.0/16", "fd00:ec2::/127"],
        &[],
    );
    for address in services {
        assert_eq!(check(&open, address), Err(Refusal::Metadata), "{address}");
        let net = if address.contains(':') { 128 } else { 32 };
        let named = policy(&[&format!("{address}/{net}")], &[]);
        assert_eq!(check(&named, address), Ok(()), "{address}");
    }
    let named = policy(&["169.254.169.254/32"], &[]);
    for disguised in [
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::",
        "64:ff9b::169.254.169.254",
        "2001:0:4136:e378:8000:63bf:5601:5601",
    ] {
        let verdict = check(&open, disguised);
        assert_eq!(verdict, Err(Refusal::Metadata), "{disguised}");
        assert_eq!(check(&named, disguised), Ok(()), "{disguised}");
    }
    let neighbour = check(&named, "169.254.169.253");
    assert_eq!(neighbour, Err(Refusal::Metadata));
    let denied = policy(&["169.254.169.254/32"], &["169.254.0.0/16"]);
    let both = check(&denied, "169.254.169.254");
    assert_eq!(both, Err(Refusal::Denied));
}

#[test]
fn deny_beats_allow_beats_the_list() {
    let policy = policy(
        &["10.0.0.0/8", "::1/128", "8.8.0.0/16"],
        &["10.1.0.0/16", "8.8.8.8/32", "2a00::/16"],
    );
    for (address, verdict) in [
        ("10.0.0.1", Ok(())),
        ("::1", Ok(())),
        ("::ffff:10.0.0.1", Ok(())),
        ("10.1.0.1", Err(Refusal::Denied)),
        ("::ffff:10.1.0.1", Err(Refusal::Denied)),
        ("8.8.8.8", Err(Refusal::Denied)),
        ("64:ff9b::8.8.8.8", Err(Refusal::Denied)),
        ("8.8.4.4", Ok(())),
        ("2a00::1", Err(Refusal::Denied)),
        ("127.0.0.1", Err(Refusal::NotPublic)),
    ] {
        assert_eq!(check(&policy, address), verdict, "{address}");
    }
}

#[test]
fn allowing_an_outer_prefix_does_not_admit_what_it_carries() {
    let policy = policy(&["2002::/16", "64:ff9b::/96"], &[]);
    assert_eq!(check(&policy, "2002:7f00:1::"), Err(Refusal::NotPublic));
    assert_eq!(check(&policy, "64:ff9b::10.0.0.1"), Err(Refusal::NotPublic));
}
