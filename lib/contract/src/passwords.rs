//! Texts that may quote an address with a password, as a message about a wrong command line does.

/// How the address of a database is written.
pub const FORM: &str = "`postgres://user:password@host:5432/name`";

/// What stands for a hidden part.
const HIDDEN: &str = "***";

/// A text without the logins of the addresses in it: `postgres://***@host/name`.
///
/// In an address of a database any `@` of its line may be the one behind the password, and without one all of it may
/// be the password. In another address the `@` stands before the first `/`.
pub fn without_passwords(text: &str) -> String {
    let line = |line: &str| {
        // How an address is written is no address.
        let parts: Vec<String> = line.split(FORM).map(line_without_passwords).collect();
        parts.join(FORM)
    };
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

/// The same of one line.
fn line_without_passwords(line: &str) -> String {
    let Some((before, after)) = line.split_once("://") else {
        return line.to_owned();
    };
    let scheme = before.rsplit(|c: char| !c.is_alphanumeric()).next();
    let scheme = scheme.unwrap_or_default().to_lowercase();
    let is_database = ["postg", "pg", "sql"]
        .iter()
        .any(|part| scheme.contains(part));
    let end = match after.rfind('@') {
        Some(end) if is_database => end,
        None if is_database => {
            let ends = |c: char| c.is_whitespace() || "`'\"".contains(c);
            let word = after.find(ends).unwrap_or(after.len());
            let has_login = after.get(..word).is_some_and(|word| word.contains(':'));
            if has_login { word } else { 0 }
        }
        _ => {
            let authority = after.find(['/', ' ']).unwrap_or(after.len());
            after
                .get(..authority)
                .and_then(|text| text.rfind('@'))
                .unwrap_or(0)
        }
    };
    let (login, rest) = after.split_at(end);
    if login.is_empty() {
        return format!("{before}://{}", line_without_passwords(rest));
    }
    format!("{before}://{HIDDEN}{}", line_without_passwords(rest))
}

#[cfg(test)]
mod tests {
    use super::without_passwords;

    #[test]
    fn logins_are_hidden_and_the_rest_stays() {
        for (text, shown) in [
            (
                "unexpected argument 'postgres://me:a/b@db/shop' found",
                "unexpected argument 'postgres://***@db/shop' found",
            ),
            (
                "'postgres://me:a b@c@db/shop'\nsee --help",
                "'postgres://***@db/shop'\nsee --help",
            ),
            ("postgress://me:geheim", "postgress://***"),
            (
                "--url=https://me:pw@shop.example/",
                "--url=https://***@shop.example/",
            ),
            (
                "https://shop.example/@me and https://a:b@c/",
                "https://shop.example/@me and https://***@c/",
            ),
            (
                "must begin with `postgres://`, as `postgres://user:password@host:5432/name`",
                "must begin with `postgres://`, as `postgres://user:password@host:5432/name`",
            ),
            (
                "name it: --database-url postgres://…",
                "name it: --database-url postgres://…",
            ),
            ("nothing at all: a@b", "nothing at all: a@b"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
    }
}
