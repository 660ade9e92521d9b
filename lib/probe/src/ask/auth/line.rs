//! Parameters of `Authorization`, one after the other (RFC 9110, 11.4).

/// A header's value that is being written.
#[derive(Debug)]
pub(super) struct Line(Vec<u8>);

impl Line {
    /// A value that begins with the name of a scheme.
    pub(super) fn of(scheme: &str) -> Self {
        Self(format!("{scheme} ").into_bytes())
    }

    /// The value.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Begins a parameter.
    fn begin(&mut self, name: &str) {
        if !self.0.ends_with(b" ") {
            self.0.extend_from_slice(b", ");
        }
        self.0.extend_from_slice(name.as_bytes());
        self.0.push(b'=');
    }

    /// Adds a parameter that needs no quotes.
    pub(super) fn plain(&mut self, name: &str, value: &str) {
        self.begin(name);
        self.0.extend_from_slice(value.as_bytes());
    }

    /// Adds a parameter in quotes.
    pub(super) fn quoted(&mut self, name: &str, value: &[u8]) {
        self.begin(name);
        self.0.push(b'"');
        for byte in value {
            if matches!(byte, b'"' | b'\\') {
                self.0.push(b'\\');
            }
            self.0.push(*byte);
        }
        self.0.push(b'"');
    }

    /// Adds a parameter in UTF-8 (RFC 8187, 3.2).
    pub(super) fn extended(&mut self, name: &str, value: &str) {
        self.begin(&format!("{name}*"));
        self.0.extend_from_slice(b"UTF-8''");
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                self.0.push(byte);
            } else {
                self.0.extend_from_slice(format!("%{byte:02X}").as_bytes());
            }
        }
    }
}
