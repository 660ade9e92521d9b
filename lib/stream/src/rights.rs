//! Rights: what a Kafka that has an authorizer lets this client do, and how a right that lacks is named.

use std::fmt;

use rdkafka::error::RDKafkaErrorCode;

/// What a service does with Kafka, and needs a right for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// A scheduler sends tasks.
    Write,
    /// A checker reads tasks.
    Read,
    /// Either looks for the topic.
    Describe,
    /// Either makes the topic.
    Create,
}

/// A right that lacks, and what would help. Shown as one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lack {
    /// The right, and on what.
    pub(crate) what: String,
    /// What would help.
    pub(crate) remedy: &'static str,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.remedy)
    }
}

/// The right that lacks, if a broker has refused an act on `topic`, or in `group`, for this.
pub(crate) fn lacking_right(
    code: RDKafkaErrorCode,
    act: Act,
    topic: &str,
    group: &str,
) -> Option<Lack> {
    match code {
        RDKafkaErrorCode::GroupAuthorizationFailed => Some(Lack {
            what: format!("no right to READ group {group}"),
            remedy: "grant Read on that group to this client",
        }),
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => Some(of_topic(act, topic)),
        _ => None,
    }
}

/// A right on a topic that lacks.
fn of_topic(act: Act, topic: &str) -> Lack {
    let (verb, remedy) = match act {
        Act::Write => ("WRITE", "grant Write and Describe on it to this client"),
        Act::Read => ("READ", "grant Read and Describe on it to this client"),
        Act::Describe => (
            "DESCRIBE",
            "grant Describe on it to this client (Write and Read include it)",
        ),
        Act::Create => (
            "CREATE",
            "grant Create on it to this client, or create it by hand",
        ),
    };
    Lack {
        what: format!("no right to {verb} topic {topic}"),
        remedy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_that_lacks_is_named_with_what_it_is_for() {
        let topic = RDKafkaErrorCode::TopicAuthorizationFailed;
        for (act, begin) in [
            (
                Act::Write,
                "no right to WRITE topic tasks: grant Write and Describe",
            ),
            (Act::Read, "no right to READ topic tasks: grant Read"),
            (
                Act::Describe,
                "no right to DESCRIBE topic tasks: grant Describe",
            ),
            (Act::Create, "no right to CREATE topic tasks: grant Create"),
        ] {
            let text = lacking_right(topic, act, "tasks", "checkers")
                .unwrap()
                .to_string();
            assert!(text.starts_with(begin), "{text}");
        }
        let group = RDKafkaErrorCode::GroupAuthorizationFailed;
        let text = lacking_right(group, Act::Read, "tasks", "checkers")
            .unwrap()
            .to_string();
        assert!(
            text.starts_with("no right to READ group checkers: "),
            "{text}"
        );
        let other = RDKafkaErrorCode::OperationTimedOut;
        assert_eq!(lacking_right(other, Act::Write, "tasks", "checkers"), None);
    }
}
