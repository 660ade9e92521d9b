//! Rights on a broker that has an authorizer, granted and taken back by two requests of Kafka's protocol.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

/// The properties of a broker that lets a client do what it was granted, and its own plain listener all.
pub const AUTHORIZER: &str =
    "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS";
/// The client whose certificate is `service.cert`.
const PRINCIPAL: &str = "User:CN=webmon";
/// `CreateAcls`.
const CREATE: i16 = 30;
/// `DeleteAcls`.
const DELETE: i16 = 31;
/// The version of both that is spoken here, the last with plain strings.
const VERSION: i16 = 1;
/// A name means what it says.
const LITERAL: u8 = 3;
/// What a right does.
const ALLOW: u8 = 3;

/// What a right is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// To read from a topic, or to be a member of a group.
    Read = 3,
    /// To write to a topic.
    Write = 4,
    /// To make a topic.
    Create = 5,
    /// To see a topic.
    Describe = 8,
    /// To see the settings of a topic.
    DescribeConfigs = 10,
}

/// What a right is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On<'a> {
    /// A topic.
    Topic(&'a str),
    /// A group of consumers.
    Group(&'a str),
}

/// Grants the client with the certificate `service.cert` a right, at the broker whose plain listener this is.
pub fn grant(broker: SocketAddr, operation: Operation, on: On<'_>) {
    change(broker, CREATE, operation, on);
}

/// Takes the right back.
pub fn revoke(broker: SocketAddr, operation: Operation, on: On<'_>) {
    change(broker, DELETE, operation, on);
}

/// Sends a request about one right, and fails unless it is done.
fn change(broker: SocketAddr, request: i16, operation: Operation, on: On<'_>) {
    let (kind, name) = match on {
        On::Topic(name) => (2, name),
        On::Group(name) => (3, name),
    };
    let mut body = Vec::new();
    for number in [request, VERSION] {
        body.extend(number.to_be_bytes());
    }
    body.extend(1_i32.to_be_bytes());
    string(&mut body, "webmon-tests");
    body.extend(1_i32.to_be_bytes());
    body.push(kind);
    string(&mut body, name);
    body.push(LITERAL);
    string(&mut body, PRINCIPAL);
    string(&mut body, "*");
    body.extend([operation as u8, ALLOW]);
    let answer = ask(broker, &body).expect("an answer of the broker to a change of rights");
    // Its correlation, how long to hold back, and of one result the error.
    let error = answer.get(12..14).expect("a result");
    assert_eq!(error, [0, 0], "{operation:?} on {on:?}: {answer:?}");
}

/// Appends a string as Kafka writes it.
fn string(body: &mut Vec<u8>, text: &str) {
    let length = i16::try_from(text.len()).expect("a short string");
    body.extend(length.to_be_bytes());
    body.extend(text.bytes());
}

/// Sends a request and reads the answer.
fn ask(broker: SocketAddr, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(broker)?;
    let length = u32::try_from(body.len()).expect("a short request");
    stream.write_all(&length.to_be_bytes())?;
    stream.write_all(body)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut answer = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}
