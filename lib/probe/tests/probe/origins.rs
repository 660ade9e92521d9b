//! Secrets that are bound to origins, and rows that try to lead them elsewhere.

use contract::outcome::Reason;

use crate::STARTED;
use crate::hostile::{Act, Server};
use crate::secrets::{bound, prober, secrets};
use crate::{detail, phases, task};

#[test]
fn a_bound_secret_is_sent_to_no_server_that_a_row_chose() {
    let certificate = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let server = Server::start(vec![Act::ok("")]);
    let prober = prober(bound(secrets(None), &[&server.url("/")]));
    let other = Server::refused_url();
    for (url, extra) in [
        (
            &server.url("/"),
            serde_json::json!({"headers": {"HOST": "evil.example"}}),
        ),
        (
            &server.url("/"),
            serde_json::json!({"tls": {"server_name": "evil.example"}}),
        ),
        (
            &server.url("/"),
            serde_json::json!({"tls": {"verify": false}}),
        ),
        (
            &server.url("/"),
            serde_json::json!({"tls": {"ca": certificate.cert.pem()}}),
        ),
        (
            &server.url("/").replace("http:", "https:"),
            serde_json::json!({}),
        ),
        (&other, serde_json::json!({})),
    ] {
        for place in [
            serde_json::json!({"bearer": "${secret:TOKEN}"}),
            serde_json::json!({"method": "POST", "body": "${secret:TOKEN}"}),
            serde_json::json!({"basic": {"username": "me", "password": "${secret:TOKEN}"}}),
            serde_json::json!({"digest": {"username": "me", "password": "${secret:TOKEN}"}}),
        ] {
            let mut request = place;
            let extra = extra.as_object().unwrap().clone();
            request.as_object_mut().unwrap().extend(extra);
            // a check that asked would be refused, or come to the server
            let result = prober.check(&task(url, &request.to_string(), "{}"), STARTED);
            assert_eq!(
                result.reason,
                Some(Reason::SecretMissing),
                "{url} {request}: {result:?}"
            );
            assert_eq!(phases(&result), "", "{result:?}");
        }
    }
    // the only request that came is one as the origin's owner means it
    let request = r#"{"bearer": "${secret:TOKEN}", "headers": {"X-Forwarded-Host": "a"}}"#;
    assert_eq!(
        prober
            .check(&task(&server.url("/"), request, "{}"), STARTED)
            .reason,
        None
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
}

#[test]
fn under_strict_a_secret_without_origins_is_sent_nowhere() {
    let server = Server::start(vec![Act::ok("")]);
    let mut secrets = bound(secrets(None), &[&server.url("/")]);
    secrets.strict = true;
    let prober = prober(secrets);
    let task = |name: &str| {
        let request = format!(r#"{{"headers": {{"x": "${{secret:{name}}}"}}}}"#);
        task(&server.url("/"), &request, "{}")
    };
    let result = prober.check(&task("VALUE"), STARTED);
    assert_eq!(result.reason, Some(Reason::SecretMissing), "{result:?}");
    let said =
        "secret VALUE: is bound to no origin, and secrets.strict lets it go nowhere; add VALUE: [";
    assert!(detail(&result).starts_with(said), "{result:?}");
    assert_eq!(prober.check(&task("TOKEN"), STARTED).reason, None);
    assert_eq!(server.requests().len(), 1);
}
