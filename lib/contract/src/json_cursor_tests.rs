//! Which texts are read, and how their parts look.

use proptest::prelude::*;

use super::*;

/// Reads a whole text, every value of it.
fn read(text: &[u8]) -> Result<(), Broken> {
    fn value(cursor: &mut Cursor<'_>) -> Result<(), Broken> {
        let mut first = true;
        match cursor.read()? {
            Part::Array => {
                while cursor.next_element(std::mem::take(&mut first))? {
                    value(cursor)?;
                }
            }
            Part::Object => {
                while cursor.next_name(std::mem::take(&mut first))?.is_some() {
                    value(cursor)?;
                }
            }
            _ => {}
        }
        Ok(())
    }
    let mut cursor = Cursor::new(text);
    value(&mut cursor)?;
    cursor.end()
}

proptest! {
    #[test]
    fn what_the_library_takes_for_json_is_read_and_nothing_else(
        text in r#"[\[\]{},:" \n]{0,9}|([\[{]{0,3}("a\\u0e1"|"\\""?|-?0\.?[1e]?|tru?e|null|[,:\]}\[{ x]){0,8}[\]}]{0,3})"#,
    ) {
        let library = serde_json::from_str::<IgnoredAny>(&text).is_ok();
        prop_assert_eq!(read(text.as_bytes()).is_ok(), library, "{}", text);
    }
}

#[test]
fn strings_and_numbers_are_as_they_were_written() {
    let mut cursor = Cursor::new(br#" [ 1.50E+2 , "a\u0062" ,{"x" : null}]"#);
    assert_eq!(cursor.read(), Ok(Part::Array));
    assert_eq!(cursor.next_element(true), Ok(true));
    assert_eq!(cursor.read(), Ok(Part::Number("1.50E+2")));
    assert_eq!(cursor.next_element(false), Ok(true));
    let Ok(Part::Text(written)) = cursor.read() else {
        panic!("a string")
    };
    assert_eq!(text(written).as_deref(), Some("ab"));
    assert_eq!(text(br#""\udc00""#), None);
    assert_eq!(text(b"\"\xff\""), None);
    assert_eq!(cursor.next_element(false), Ok(true));
    assert_eq!(cursor.skip(), Ok(&br#"{"x" : null}"#[..]));
    assert_eq!(cursor.next_element(false), Ok(false));
    assert_eq!(cursor.end(), Ok(()));
}
