//! Answers of servers that do not know EDNS (RFC 6891, section 7).

use std::error::Error;
use std::fmt;

use hickory_resolver::proto::op::ResponseCode;

/// A header's length in bytes (RFC 1035, section 4.1.1).
const HEADER_BYTES: usize = 12;

/// A refusal that is a header alone, or at least has no question in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(ResponseCode);

impl Refusal {
    /// The refusal in a message, if it is one of the question with this number.
    pub(super) fn in_header(message: &[u8], asked: u16) -> Option<Self> {
        let header: &[u8; HEADER_BYTES] = message.first_chunk()?;
        let [id_high, id_low, flags, codes, questions @ ..] = *header;
        let code = ResponseCode::from_low(codes & 0x0f);
        let refused = flags & 0x80 != 0
            && u16::from_be_bytes([id_high, id_low]) == asked
            && questions.starts_with(&[0, 0])
            && is_of_edns(code);
        refused.then_some(Self(code))
    }
}

/// Whether a code says that the server does not know EDNS. Those of the first kind are of RFC 6891, section 7;
/// the second is of RFC 2671, section 5.3, which came before; the third is of a version that it does not know. The
/// library takes its number for that of a bad signature, and webmon signs nothing.
pub(super) fn is_of_edns(code: ResponseCode) -> bool {
    matches!(
        code,
        ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS | ResponseCode::BADSIG
    )
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answers \"{}\"", self.0)
    }
}

impl Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_its_questions_number_and_no_question() {
        let form_error = [0x12, 0x34, 0x81, 0x01, 0, 0, 0, 0, 0, 0, 0, 0];
        let with = |index: usize, byte: u8| {
            let mut message = form_error;
            message[index] = byte;
            message
        };
        for (what, message, refused) in [
            ("no question", &form_error[..], true),
            ("not implemented", &with(3, 0x84), true),
            ("cut short", &form_error[..11], false),
            ("another number", &with(1, 0x35), false),
            ("a question", &with(5, 1), false),
            ("no answer", &with(2, 0x01), false),
            ("no failure", &with(3, 0x80), false),
            ("another failure", &with(3, 0x02), false),
        ] {
            let refusal = Refusal::in_header(message, 0x1234);
            assert_eq!(refusal.is_some(), refused, "{what}");
        }
    }
}
