//! How the buffers of a connection grow, and where they end.

use super::*;

/// Lets so many bytes come, as far as there is room; how many there was room for.
fn come(buffers: &mut GrowingBuffers, bytes: usize) -> usize {
    let room = buffers.input_append_buf();
    let bytes = bytes.min(room.len());
    room[..bytes].fill(b'x');
    buffers.input_appended(bytes);
    bytes
}

#[test]
fn the_input_grows_up_to_the_longest_head() {
    let mut buffers = GrowingBuffers::default();
    let steps = [2_048, 2_048, 4_096, 8_192, 0, 0];
    for step in steps {
        assert_eq!(come(&mut buffers, usize::MAX), step);
    }
    assert_eq!(buffers.input().len(), INPUT_MOST);
}

#[test]
fn small_buffers_are_kept_and_nothing_is_left_in_them() {
    let mut first = GrowingBuffers::default();
    come(&mut first, 100);
    first.output();
    let at = first.input().as_ptr();
    drop(first);
    let mut second = GrowingBuffers::default();
    assert_eq!((second.input().len(), second.can_use_input()), (0, false));
    assert_eq!(second.input_append_buf().as_ptr(), at);
    assert_eq!(come(&mut second, usize::MAX), INPUT_FIRST);
    come(&mut second, 1);
    drop(second);
    assert_eq!(GrowingBuffers::default().input.capacity(), 0, "a large one");
}

#[test]
fn room_is_used_again() {
    let mut buffers = GrowingBuffers::default();
    assert_eq!(come(&mut buffers, 2_000), 2_000);
    buffers.input_consume(1_990);
    assert!(buffers.can_use_input());
    assert_eq!(come(&mut buffers, 2_000), 2_000);
    buffers.input_consume(0);
    assert!(!buffers.can_use_input());
    assert_eq!(buffers.input().len(), 2_010);
    buffers.input_consume(2_010);
    assert!(!buffers.can_use_input());
    assert_eq!(come(&mut buffers, usize::MAX), 2_048);
    buffers.input_consume(2_048);
    assert_eq!(come(&mut buffers, usize::MAX), 4_096, "they come fast");
}

#[test]
fn a_line_fits_the_output_however_long_it_is() {
    let mut buffers = GrowingBuffers::default();
    observed::begin(std::time::Duration::from_secs(1), 0);
    assert_eq!(buffers.output().len(), OUTPUT_HEAD);
    observed::begin_hop(&ureq::http::Method::GET, "http://a.example/", 70_000);
    assert_eq!(buffers.output().len(), 70_000 + LINE_SLACK);
    let (room, output) = buffers.tmp_and_output();
    assert_eq!((room.is_empty(), output.len()), (false, 70_016));
}
