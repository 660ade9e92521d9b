//! The address policy, address by address.

use super::*;

/// A policy that allows and denies these networks.
fn policy(allow: &[&str], deny: &[&str]) -> Policy {
    let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
    Policy::new(&Addresses {
        allow: nets(allow),
        deny: nets(deny),
    })
}

fn judge(policy: &Policy, address: &str) -> Result<(), Refusal> {
    policy.judge(address.parse().unwrap())
}

#[test]
fn public_addresses_are_dialled() {
    let policy = policy(&[], &[]);
    for address in [
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.0",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "2001:4860:4860::8888",
        "2606:4700::1111",
        "2a00:1450::1",
        "2001:200::1",
        "3ffe::1",
        // the IPv4 address inside is public
        "::ffff:8.8.8.8",
        "2002:808:808::1",
        "64:ff9b::8.8.8.8",
        // Teredo with the client 8.8.8.8
        "2001:0:4136:e378:8000:63bf:f7f7:f7f7",
    ] {
        assert_eq!(judge(&policy, address), Ok(()), "{address}");
    }
}

/// Addresses at both ends of what is not public.
const SPECIAL: &[&str] = &[
    "0.0.0.0",
    "0.255.255.255",
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.2.1",
    "192.31.196.1",
    "192.52.193.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.255.255",
    "192.175.48.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::8.8.8.8",
    "100::1",
    "64:ff9b:1::8.8.8.8",
    "1fff::1",
    "4000::1",
    "5f00::1",
    "2001:1::1",
    "2001:2::1",
    "2001:20::1",
    "2001:1ff::1",
    "2001:db8::1",
    "2620:4f:8000::1",
    "3fff::1",
    "3fff:fff::1",
    "fc00::1",
    "fd00::1",
    "fec0::1",
    "ff02::1",
    // the IPv4 address inside is not public
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "64:ff9b::192.168.0.1",
    // Teredo with the client 10.0.0.1
    "2001:0:4136:e378:8000:63bf:f5ff:fffe",
];

#[test]
fn special_addresses_are_refused() {
    let policy = policy(&[], &[]);
    for address in SPECIAL {
        assert_eq!(
            judge(&policy, address),
            Err(Refusal::NotPublic),
            "{address}"
        );
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
        assert_eq!(judge(&open, address), Err(Refusal::Metadata), "{address}");
        let net = if address.contains(':') { 128 } else { 32 };
        let named = policy(&[&format!("{address}/{net}")], &[]);
        assert_eq!(judge(&named, address), Ok(()), "{address}");
    }
    for disguised in [
        "::ffff:169.254.169.254",
        "2002:a9fe:a9fe::",
        "64:ff9b::169.254.169.254",
    ] {
        assert_eq!(
            judge(&open, disguised),
            Err(Refusal::Metadata),
            "{disguised}"
        );
    }
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
        assert_eq!(judge(&policy, address), verdict, "{address}");
    }
}

#[test]
fn allowing_an_outer_prefix_does_not_admit_what_it_carries() {
    let policy = policy(&["2002::/16", "64:ff9b::/96"], &[]);
    assert_eq!(judge(&policy, "2002:7f00:1::"), Err(Refusal::NotPublic));
    assert_eq!(judge(&policy, "64:ff9b::10.0.0.1"), Err(Refusal::NotPublic));
}
