//! Tables of boxes in the form of Argoverse 2's annotations, which is that of its submissions as well.

use std::path::Path;

use crate::columns::feather;
use crate::error::Error;

/// An annotated or detected box in the ego frame (av2-api `structures/cuboid.py`).
#[derive(Debug, Clone, PartialEq)]
pub struct Cuboid {
    /// The log.
    pub log_id: String,
    /// The sweep's time, ns.
    pub timestamp_ns: i64,
    /// The category, such as `REGULAR_VEHICLE`.
    pub category: String,
    /// Centre, m.
    pub center: [f64; 3],
    /// Length, width, height, m.
    pub size: [f64; 3],
    /// A quaternion w, x, y, z.
    pub rotation: [f64; 4],
    /// Lidar points within, for annotations (`num_interior_pts`); the confidence, for detections (`score`).
    pub weight: f64,
}

/// Reads a feather file of annotations (`weight` names `num_interior_pts`) or detections (`score`), in its order.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Damaged`], [`Error::Column`] for a missing column, [`Error::Value`] for a number that
/// is not finite or a size that is not positive.
pub fn cuboids(path: &Path, weight: &str) -> Result<Vec<Cuboid>, Error> {
    const NUMBERS: [&str; 10] = ["tx_m", "ty_m", "tz_m", "length_m", "width_m", "height_m", "qw", "qx", "qy", "qz"];
    const SIZES: [&str; 3] = ["length_m", "width_m", "height_m"];
    let table = feather::read(path)?;
    let mut columns = Vec::with_capacity(NUMBERS.len() + 1);
    for name in NUMBERS.into_iter().chain([weight]) {
        let column = table.numbers(name)?;
        if let Some(row) = column.iter().position(|value| !value.is_finite()) {
            return Err(Error::value(path, format!("row {row}"), name, "is not finite"));
        }
        if SIZES.contains(&name)
            && let Some(row) = column.iter().position(|value| *value <= 0.0)
        {
            return Err(Error::value(path, format!("row {row}"), name, "is not positive"));
        }
        columns.push(column);
    }
    let log_ids = table.texts("log_id")?;
    let stamps = table.integers("timestamp_ns")?;
    let categories = table.texts("category")?;
    let rows = log_ids.into_iter().zip(stamps).zip(categories).enumerate();
    Ok(rows
        .map(|(row, ((log_id, timestamp_ns), category))| {
            let value = |column: usize| columns[column][row];
            Cuboid {
                log_id,
                timestamp_ns,
                category,
                center: [value(0), value(1), value(2)],
                size: [value(3), value(4), value(5)],
                rotation: [value(6), value(7), value(8), value(9)],
                weight: value(10),
            }
        })
        .collect())
}
