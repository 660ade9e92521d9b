//! A table on standard output.

use color_eyre::eyre::{Result, WrapErr as _};
use runtime::program::say;

/// Shows rows below their heads, each column as wide as its widest cell.
pub(crate) fn show<const N: usize>(heads: [&str; N], rows: Vec<[String; N]>) -> Result<()> {
    let mut table = vec![heads.map(str::to_owned)];
    table.extend(rows);
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    for row in &table {
        let cells = row.iter().zip(widths);
        let cells: Vec<_> = cells
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        say(cells.join("  ").trim_end()).wrap_err("write to standard output")?;
    }
    Ok(())
}
