//! A table on standard output: its columns are aligned as a terminal shows them, in whatever script.

use std::io::{self, BufWriter, Stdout, Write as _};

use color_eyre::eyre::{Result, WrapErr as _};
use runtime::program::unless_closed;
use unicode_width::UnicodeWidthStr as _;

/// What stands between two columns.
const GAP: &str = "  ";
/// The widest cell, in columns of a terminal; what is wider is cut.
pub(crate) const MAX_CELL: usize = 40;

/// A table whose rows are written as they come.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    /// How wide each column is.
    widths: [usize; N],
    /// Where it goes.
    out: BufWriter<Stdout>,
    /// Whether nothing reads it any more.
    closed: bool,
}

impl<const N: usize> Table<N> {
    /// A table with these heads; its columns are as wide as they and `widths` say.
    pub(crate) fn begin(heads: [&str; N], widths: [usize; N]) -> Result<Self> {
        let mut each = heads.iter().zip(widths);
        let mut table = Self {
            widths: std::array::from_fn(|_| {
                each.next()
                    .map_or(0, |(head, width)| head.width().max(width).min(MAX_CELL))
            }),
            out: BufWriter::new(io::stdout()),
            closed: false,
        };
        table.row(&heads.map(str::to_owned))?;
        Ok(table)
    }

    /// Writes a row; false if nothing reads the table any more.
    pub(crate) fn row(&mut self, cells: &[String; N]) -> Result<bool> {
        let mut line = String::new();
        for (cell, width) in cells.iter().zip(self.widths) {
            let cell = cut(cell, width);
            let blanks = width.saturating_sub(cell.width());
            line.push_str(&cell);
            line.extend(std::iter::repeat_n(' ', blanks));
            line.push_str(GAP);
        }
        let written = writeln!(self.out, "{}", line.trim_end());
        self.note(written)
    }

    /// Writes what is left.
    pub(crate) fn end(mut self) -> Result<()> {
        let written = self.out.flush();
        self.note(written).map(drop)
    }

    /// Takes note of how writing ended.
    fn note(&mut self, written: io::Result<()>) -> Result<bool> {
        self.closed |= written
            .as_ref()
            .is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe);
        unless_closed(written).wrap_err("write to standard output")?;
        Ok(!self.closed)
    }
}

/// Shows rows below their heads, each column as wide as its widest cell.
pub(crate) fn show<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> Result<()> {
    let widths = std::array::from_fn(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or(0)
    });
    let mut table = Table::begin(heads, widths)?;
    for row in rows {
        table.row(row)?;
    }
    table.end()
}

/// The beginning of a text that is no wider than `width`; `…` stands for the rest.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let room = width.saturating_sub(1);
    let ends = text.char_indices().map(|(start, c)| start + c.len_utf8());
    let starts = ends.map_while(|end| text.get(..end).filter(|start| start.width() <= room));
    format!("{}…", starts.last().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_wide_is_cut_where_a_terminal_would() {
        for (text, shown) in [
            ("shop", "shop"),
            ("a-long-name", "a-lon…"),
            ("日本語", "日本語"),
            ("日本語サイト", "日本…"),
            ("🦀🦀🦀🦀", "🦀🦀…"),
            (
                "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
                "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}e\u{301}",
            ),
        ] {
            assert_eq!(cut(text, 6), shown);
            assert!(cut(text, 6).width() <= 6);
        }
        assert_eq!(cut("日", 1), "…");
    }
}
