//! Which secrets a request names.

use super::auth::Auth;
use super::request::Request;
use super::template::Template;

impl Request {
    /// The names of all secrets that the site gets; one may come several times. Those of the proxy are its own.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let Self {
            method: _,
            headers,
            body,
            auth,
            redirects: _,
            ip: _,
            proxy: _,
            read: _,
            tls,
        } = self;
        let (first, second) = match auth {
            Some(Auth::Basic { username, password } | Auth::Digest { username, password }) => {
                (Some(username), Some(password))
            }
            Some(Auth::Bearer(token)) => (Some(token), None),
            None => (None, None),
        };
        let templates = headers.iter().map(|(_, value)| value);
        let templates = templates.chain(body).chain(first).chain(second);
        let key = tls.identity.iter().map(|identity| identity.key.as_str());
        templates.flat_map(Template::secrets).chain(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_found_wherever_a_request_may_name_one() {
        let certificate = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let pem = certificate.cert.pem();
        for (json, names) in [
            (serde_json::json!({}), &[][..]),
            (
                serde_json::json!({"headers": {"a": "${secret:A}${secret:B}", "b": "-"}}),
                &["A", "B"],
            ),
            (serde_json::json!({"body": "x ${secret:C}"}), &["C"]),
            (serde_json::json!({"bearer": "${secret:D}"}), &["D"]),
            (
                serde_json::json!({"basic": {"username": "${secret:E}", "password": "${secret:F}"}}),
                &["E", "F"],
            ),
            (
                serde_json::json!({"digest": {"username": "${secret:H}", "password": "${secret:I}"}}),
                &["H", "I"],
            ),
            (
                serde_json::json!({"tls": {"certificate": pem, "key": "${secret:G}"}}),
                &["G"],
            ),
        ] {
            let request = Request::parse(&json.to_string()).unwrap();
            assert_eq!(request.secrets().collect::<Vec<_>>(), names, "{json}");
        }
    }
}
