//! The names of rustls' variants as words.

/// The words of a variant's name, of which `debug` is the text for developers: `TooMuchEarlyData { … }` is
/// `too much early data`.
pub(super) fn words(debug: &str) -> String {
    spelled(debug, ' ')
}

/// The same, with this between the words.
pub(super) fn spelled(debug: &str, between: char) -> String {
    let mut words = String::new();
    let mut letters = debug
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .peekable();
    let mut before = None;
    while let Some(letter) = letters.next() {
        let new_word = match before {
            None => false,
            // the last capital of several begins a word: `PSKIdentity`
            Some(before) if char::is_ascii_uppercase(&before) => {
                letters.peek().is_some_and(char::is_ascii_lowercase)
            }
            Some(_) => true,
        };
        if new_word && letter.is_ascii_uppercase() {
            words.push(between);
        }
        words.push(letter.to_ascii_lowercase());
        before = Some(letter);
    }
    words
}
