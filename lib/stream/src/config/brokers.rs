//! `kafka.brokers`: where Kafka is.

use runtime::config::Document;

/// At least one broker, each `host:port`.
pub(super) fn valid_brokers(
    document: &mut Document,
    raw: Option<Vec<String>>,
) -> Option<Vec<String>> {
    let brokers = raw.unwrap_or_default();
    if brokers.is_empty() {
        document.fault(
            "kafka.brokers",
            "missing: list at least one broker, as `- host:9092`",
        );
        return None;
    }
    let mut valid = true;
    for (index, _) in brokers
        .iter()
        .enumerate()
        .filter(|(_, broker)| !is_broker(broker))
    {
        let message = "must be one `host:port` like `kafka-1:9092` or `[::1]:9092`";
        document.fault(format!("kafka.brokers[{index}]"), message);
        valid = false;
    }
    valid.then_some(brokers)
}

/// Whether this is `host:port`. An IPv6 address needs its brackets.
fn is_broker(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else {
        return false;
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let host_is_right = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
    };
    let digits = port.chars().all(|c| c.is_ascii_digit());
    host_is_right && digits && port.parse::<u16>().is_ok_and(|port| port > 0)
}
