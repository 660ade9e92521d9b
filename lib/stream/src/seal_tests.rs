//! Which messages are believed under which keys.

use proptest::prelude::*;

use super::*;

/// The seal of a topic under these keys.
fn seal(topic: &str, key: &str, previous: Option<&str>) -> Seal {
    let mut config = KafkaConfig::plain(vec!["k:9092".to_owned()]);
    topic.clone_into(&mut config.topic);
    config.key = Some(Secret::new(key));
    config.previous_key = previous.map(Secret::new);
    Seal::of(&config).unwrap()
}

/// Whether a message is believed that has these headers.
fn check(seal: &mut Seal, message: (&[u8], &[u8]), headers: &[&[u8]]) -> Result<(), Unsealed> {
    seal.verify(message.0, message.1, headers.iter().copied())
}

/// As docs/guide/kafka.md computes it with openssl.
#[test]
fn the_header_of_a_message_never_changes() {
    let seal = seal("webmon.tasks", "0123456789abcdef0123456789abcdef", None);
    let header = seal.sign(b"42", br#"{"v":1}"#);
    assert_eq!(
        hex(header.as_ref()),
        "8632ad9eeffdc570cb805cb423794a7642824d837f37b7d1aa7f39271e59b9a8"
    );
}

#[test]
fn one_right_header_is_believed_and_nothing_else() {
    let mut seal = seal("tasks", &"k".repeat(32), None);
    let (key, payload) = (b"42".as_slice(), b"payload".as_slice());
    let tag = seal.sign(key, payload);
    let tag = tag.as_ref();
    assert_eq!(check(&mut seal, (key, payload), &[tag]), Ok(()));
    assert_eq!(
        check(&mut seal, (key, payload), &[]),
        Err(Unsealed::Headers(0))
    );
    assert_eq!(
        check(&mut seal, (key, payload), &[tag, tag]),
        Err(Unsealed::Headers(2))
    );
    for wrong in [&[], &tag[..31], &[tag, &[0]].concat(), &[0; 32]] {
        assert_eq!(
            check(&mut seal, (key, payload), &[wrong]),
            Err(Unsealed::Wrong)
        );
    }
    for (key, payload) in [
        ("4", "2payload"),
        ("42p", "ayload"),
        ("", "42payload"),
        ("42", "Payload"),
    ] {
        let message = (key.as_bytes(), payload.as_bytes());
        assert_eq!(check(&mut seal, message, &[tag]), Err(Unsealed::Wrong));
    }
}

#[test]
fn a_message_of_another_topic_or_key_is_not_believed() {
    let (one, other) = ("k".repeat(32), "l".repeat(32));
    let message = (b"1".as_slice(), b"payload".as_slice());
    let tag = seal("tasks", &one, None).sign(message.0, message.1);
    let tag = [tag.as_ref()];
    for mut wrong in [seal("results", &one, None), seal("tasks", &other, None)] {
        assert_eq!(check(&mut wrong, message, &tag), Err(Unsealed::Wrong));
    }
    let mut rotating = seal("tasks", &other, Some(&one));
    assert_eq!(check(&mut rotating, message, &tag), Ok(()));
    let ours = rotating.sign(message.0, message.1);
    assert_eq!(
        check(&mut seal("tasks", &other, None), message, &[ours.as_ref()]),
        Ok(())
    );
}

#[test]
fn no_key_of_a_process_is_another_ones() {
    let keys = [random_key().unwrap(), random_key().unwrap()];
    assert_eq!(keys[0].expose().len(), 64);
    assert_ne!(keys[0], keys[1]);
    assert_eq!(
        format!("{:?}", seal("t", keys[0].expose(), None)),
        "Seal(***)"
    );
}

proptest! {
    #[test]
    fn what_was_signed_is_believed(key: Vec<u8>, payload: Vec<u8>) {
        let mut seal = seal("tasks", &"k".repeat(32), None);
        let tag = seal.sign(&key, &payload);
        prop_assert_eq!(check(&mut seal, (&key, &payload), &[tag.as_ref()]), Ok(()));
    }
}
