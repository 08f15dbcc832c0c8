//! Tables for people: borders and colours on a terminal, plain columns when piped.

use std::io::IsTerminal;

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets};

/// An empty table with these columns; those from `first_number` on hold numbers, aligned right.
pub fn table(columns: &[&str], first_number: usize) -> Table {
    let mut table = Table::new();
    let terminal = std::io::stdout().is_terminal();
    table.load_style(if terminal { presets::UTF8_FULL_CONDENSED } else { presets::NOTHING });
    table.set_content_arrangement(if terminal { ContentArrangement::Dynamic } else { ContentArrangement::Disabled });
    table.set_header(columns.iter().map(Cell::new));
    for column in table.column_iter_mut().skip(first_number) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
