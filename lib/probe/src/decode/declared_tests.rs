//! How answers declare the charset of their text.

use ureq::http::HeaderValue;

use super::*;

#[test]
fn the_head_names_a_charset_in_many_ways() {
    for (value, media, charset) in [
        ("text/html", "text/html", None),
        ("text/html; charset=utf-8", "text/html", Some("utf-8")),
        (
            "text/html;Charset = \"GB2312\"",
            "text/html",
            Some("GB2312"),
        ),
        (
            "text/html ; a=b; CHARSET='big5' ;c",
            "text/html",
            Some("big5"),
        ),
        ("text/html; charset=", "text/html", Some("")),
        ("; charset=a", "", Some("a")),
        ("text/html; xcharset=a; charset", "text/html", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.append(
            header::CONTENT_TYPE,
            HeaderValue::from_static("a/b; charset=c"),
        );
        headers.append(header::CONTENT_TYPE, HeaderValue::from_static(value));
        assert_eq!(media_type(&headers), media.as_bytes(), "{value}");
        assert_eq!(in_head(&headers), charset.map(str::as_bytes), "{value}");
    }
    assert_eq!(media_type(&HeaderMap::new()), b"");
    assert_eq!(in_head(&HeaderMap::new()), None);
}

#[test]
fn a_page_names_a_charset_in_many_ways() {
    for (page, charset) in [
        ("<html><meta charset=\"gbk\">", Some("gbk")),
        ("<META  CHARSET = big5 />", Some("big5")),
        ("<meta charset='a'/>", Some("a")),
        (
            "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=windows-1251\">",
            Some("windows-1251"),
        ),
        ("<meta name=x><meta charset=b>", Some("b")),
        ("<!-- <meta charset=a> --><meta charset=b>", Some("b")),
        ("<!--><meta charset=a>", None),
        ("<metal charset=a><meta>", None),
        ("<meta charset=a", None),
        ("charset=a <p>", None),
        ("<<<", None),
        ("", None),
    ] {
        assert_eq!(
            in_meta(page.as_bytes()),
            charset.map(str::as_bytes),
            "{page}"
        );
    }
}

#[test]
fn an_xml_declaration_names_a_charset() {
    for (text, charset) in [
        (
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><rss/>",
            Some("ISO-8859-1"),
        ),
        ("\n<?xml encoding='koi8-r'?>", Some("koi8-r")),
        ("<?xml version='1.0'?><a encoding='b'/>", None),
        ("<a/>", None),
    ] {
        assert_eq!(
            in_xml(text.as_bytes()),
            charset.map(str::as_bytes),
            "{text}"
        );
    }
}
