//! No message shows a part of a password, whatever is wrong with the address.

use postgres_address::{Address, Environment, Server};
use proptest::prelude::*;

/// The shortest piece of a password that no message may show.
const PIECE: usize = 4;

/// The number of the last mistake.
const MISTAKES: usize = 22;

/// Addresses with one mistake each, and a part of what is said of it.
const MISTAKEN: [(&str, &str); 33] = [
    (
        "postgress://webmon:geheim@h/d",
        "must begin with `postgres://`",
    ),
    (
        "postgres://webmon:ge/heim#1@127.0.0.1:5432/webmon",
        "`@` after a `/`, `?` or `#`",
    ),
    (
        "postgres://webmon:ge?heim@127.0.0.1:5432/webmon",
        "`/` is %2F",
    ),
    (
        "postgres://webmon:12/heim@127.0.0.1:5432/webmon",
        "`@` after",
    ),
    (
        "postgres://webmon:p@ss/w%r#d@127.0.0.1:5432/webmon",
        "`@` after",
    ),
    ("postgres://webmon:ge%heim@h/d", "`%` %25"),
    ("postgres://webmon:geheim@h/d#x", "has a `#`"),
    (
        "postgres://webmon:geheim",
        "the port must be a number from 1 to 65535",
    ),
    ("postgres://webmon@h:0/d", "the port must be"),
    ("postgres://webmon@h:65536/d", "the port must be"),
    ("postgres://webmon@a host/d", "the host must be"),
    ("postgres://webmon@::1/d", "the port must be"),
    ("postgres://webmon@[::1/d", "the host must be"),
    (
        "postgres://webmon@h1,h2:5433/d?target_session_attrs=read-write",
        "names several hosts",
    ),
    ("postgres://webmon@h1/d?host=h1,h2", "names several hosts"),
    (
        "postgres://webmon@h/d?port=5432,5433",
        "names several hosts",
    ),
    (
        "postgres://webmon@h/a/b",
        "the name of the database has a `/`",
    ),
    (
        "postgres://webmon@h/d?foo=bar",
        "the parameter `foo` is not known",
    ),
    (
        "postgres://webmon@h/d?password=ge&heim=1",
        "the parameter number 2 after `?` is not known",
    ),
    ("postgres://webmon@h/d?geheim", "has no `=`"),
    (
        "postgres://webmon@h/d?sslpassword=geheim",
        "`sslpassword` is not supported",
    ),
    (
        "postgres://webmon@h/d?sslmode=verify-ful",
        "`sslmode` must be disable, allow",
    ),
    (
        "postgres://webmon@h/d?channel_binding=require",
        "`channel_binding` must be",
    ),
    (
        "postgres://webmon@h/d?target_session_attrs=standby",
        "`target_session_attrs` must be",
    ),
    (
        "postgres://webmon@h/d?hostaddr=h",
        "`hostaddr` must be one IP address",
    ),
    ("postgres://webmon@h/d?options=jit", "`options` must be"),
    (
        "postgres://webmon@h/d?sslrootcert=/no/such.pem",
        "`sslrootcert` names /no/such.pem: there is no such file",
    ),
    (
        "postgres://webmon@h/d?sslrootcert=/",
        "`sslrootcert` names /: it is a folder",
    ),
    (
        "postgres://webmon@h/d?sslrootcert=/dev/null",
        "holds no certificate",
    ),
    (
        "postgres://webmon@h/d?sslcert=/no/such.pem",
        "`sslcert` must be one of two",
    ),
    (
        "postgres://webmon@h/d?sslkey=/no/such.pem",
        "`sslkey` must be one of two",
    ),
    ("postgres://webmon%3Ageheim@h/d", "the user has a `:`"),
    ("", "must begin with `postgres://`"),
];

/// What is said of an address: the error, or the server that it leads to, and what `{:?}` shows.
fn said(text: &str) -> String {
    let address = match Address::parse(text) {
        Ok(address) => address,
        Err(error) => return format!("{error} {error:?}"),
    };
    let shown = format!("{address:?}");
    match address.options(&Environment::default()) {
        Ok(options) => format!(
            "{} {:?} {shown}",
            Server::of(&options),
            Server::of(&options)
        ),
        Err(error) => format!("{error} {error:?} {shown}"),
    }
}

/// A password of which no piece is a word of any message: letters that no message has, and every
/// character with a meaning in an address.
fn passwords() -> impl Strategy<Value = String> {
    "[QZX0-9/?#@:%\\[\\]&=+,; $!*'(){}|^~`<>\"\\\\-]{4,24}"
}

/// A text whose every byte is percent-encoded.
fn encoded(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    bytes.concat()
}

/// An address with the password as it is, and one mistake more.
fn mistaken(password: &str, mistake: usize) -> String {
    match mistake {
        0 => format!("postgres://webmon:{password}@db.example:5432/shop"),
        1 => format!("postgress://webmon:{password}@db.example:5432/shop"),
        2 => format!("webmon:{password}@db.example:5432/shop"),
        3 => format!("postgres:/webmon:{password}@db.example:5432/shop"),
        4 => format!("postgres://webmon:{password}@db example:5432/shop"),
        5 => format!("postgres://webmon:{password}@db.example:99999/shop"),
        6 => format!("postgres://webmon:{password}@[::1:5432/shop"),
        7 => format!("postgres://webmon:{password}@h1,h2:5433/shop"),
        8 => format!("postgres://webmon:{password}@db.example/shop?foo=bar"),
        9 => format!("postgres://webmon@db.example/shop?sslpassword={password}"),
        10 => format!("postgres://webmon@db.example/shop?password={password}"),
        11 => format!("postgres://webmon@db.example/shop?password={password}&sslmode=never"),
        12 => format!(
            "postgres://webmon%3A{}%40db.example:5432/shop",
            encoded(password)
        ),
        13 => format!(
            "postgres://webmon%3A{}@db.example:5432/shop",
            encoded(password)
        ),
        14 => format!("postgres://webmon@{password}@db.example:5432/shop"),
        15 => format!("postgres://webmon;{password}@db.example:5432/shop"),
        16 => format!("host=db.example user=webmon password={password}"),
        17 => format!("jdbc:postgresql://db.example/shop?user=webmon&password={password}"),
        18 => format!("postgres://webmon:{password}@db.example:5432/shop?sslrootcert=/nowhere"),
        19 => format!("\"postgres://webmon:{password}@db.example:5432/shop\""),
        20 => format!("postgres://webmon:{password}\n@db.example:5432/shop"),
        21 => format!(
            "postgres://webmon:{}@db.example:5432/shop",
            encoded(password)
        ),
        _ => format!("postgres://webmon:{password}@db.example:5432/shop/more"),
    }
}

/// What messages say of addresses with other passwords: each has the characters that one kind of message is about, and
/// no piece without a letter that no other password has.
fn of_another_password() -> String {
    let passwords = [
        "JJJJ", "J/J@J", "J?J@J", "J#J@J", "J%JJ", "J#JJ", "J@JJ", "J[JJ",
    ];
    let texts = passwords
        .iter()
        .flat_map(|password| (0..=MISTAKES).map(|mistake| mistaken(password, mistake)));
    texts.map(|text| said(&text)).collect()
}

/// The piece of the password that a text shows, apart from what it says of any password.
fn shown_piece(text: &str, password: &str) -> Option<String> {
    let letters: Vec<char> = password.chars().collect();
    let mut pieces = letters
        .windows(PIECE)
        .map(|piece| piece.iter().collect::<String>());
    pieces.find(|piece| text.contains(piece.as_str()) && !of_another_password().contains(piece))
}

#[test]
fn what_every_message_of_a_kind_says_is_no_piece_of_a_password() {
    let password = "\"`#`:\"";
    let said = said(&mistaken(password, 4));
    assert_eq!(shown_piece(&said, password), None, "{said}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_message_shows_a_piece_of_a_password(password in passwords(), mistake in 0..=MISTAKES) {
        let text = mistaken(&password, mistake);
        let said = said(&text);
        prop_assert_eq!(shown_piece(&said, &password), None, "{} -> {}", text, said);
    }

    #[test]
    fn what_is_percent_encoded_is_understood(password in passwords(), name in "[a-z]{1,9}") {
        let text = format!("postgres://{name}:{}@db.example:6432/{name}", encoded(&password));
        let address = Address::parse(&text).unwrap();
        let options = address.options(&Environment::default()).unwrap();
        prop_assert_eq!(options.get_username(), &name);
        prop_assert_eq!(options.get_database(), Some(name.as_str()));
        prop_assert_eq!(options.get_port(), 6432);
        let shown = format!("{options:?}");
        prop_assert!(shown.contains(&format!("password: Some({password:?})")), "{}", shown);
    }

    #[test]
    fn no_text_at_all_makes_the_reader_fail(text in "\\PC{0,80}") {
        drop(Address::parse(&text));
        drop(Address::parse(&format!("postgres://{text}")));
    }
}

#[test]
fn each_mistake_is_told_with_its_remedy() {
    for (text, expected) in MISTAKEN {
        let said = said(text);
        assert!(said.contains(expected), "{text}: {said}");
        for secret in ["geheim", "heim", "bar"] {
            assert!(!said.contains(secret), "{text}: {said}");
        }
    }
}

#[test]
fn libpqs_parameters_without_an_effect_here_are_accepted() {
    for query in [
        "connect_timeout=10&keepalives=1&keepalives_idle=30&tcp_user_timeout=1000",
        "gssencmode=prefer&channel_binding=prefer&target_session_attrs=read-write",
        "application_name=mine&client_encoding=UTF8&sslcompression=0&sslnegotiation=postgres",
        "sslmode=verify-full&sslrootcert=system",
        "options=-c%20jit%3Doff%20--geqo%3Doff&options[work_mem]=64kB",
        "statement-cache-capacity=0",
    ] {
        let address = Address::parse(&format!("postgres://u@h/d?{query}")).expect(query);
        address.options(&Environment::default()).expect(query);
    }
}

#[test]
fn the_server_is_shown_as_people_write_it() {
    for (text, shown) in [
        ("postgres://u:p@db:5433/shop", "db:5433/shop"),
        ("POSTGRESQL://u:p@db:5433/shop", "db:5433/shop"),
        (" postgres://u:p@db:5433/shop\n", "db:5433/shop"),
        ("postgres://u:p@ss@db:5433/shop", "db:5433/shop"),
        ("postgres://u@[::1]:5433/shop", "[::1]:5433/shop"),
        ("postgres://u@[::1]:5433", "[::1]:5433/u"),
        (
            "postgres://u@[fe80::1%25eth0]:5433/d",
            "[fe80::1%eth0]:5433/d",
        ),
        ("postgres://u@h:5433/d?host=::1", "[::1]:5433/d"),
        (
            "postgres://u@%2Frun%2Fa%2C%20b:5433/shop",
            "/run/a, b/.s.PGSQL.5433/shop",
        ),
        (
            "postgres://u@%2Frun%2Fpg:5433/shop",
            "/run/pg/.s.PGSQL.5433/shop",
        ),
        (
            "postgres://u@:5433/shop?host=/run/pg/",
            "/run/pg/.s.PGSQL.5433/shop",
        ),
    ] {
        let options = Address::parse(text)
            .unwrap()
            .options(&Environment::default());
        assert_eq!(Server::of(&options.unwrap()).to_string(), shown, "{text}");
    }
}
