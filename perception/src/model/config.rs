//! What a network looks like: everything that fixes the shapes of its weights, and the grid it sees the world in.

use serde::{Deserialize, Serialize};

use crate::Error;

/// The image backbone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Backbone {
    /// EfficientNet-Lite0 (Apache-2.0) up to stride 16, for processors.
    EfficientNetLite0,
    /// ResNet-18 (He et al. 2016).
    ResNet18,
    /// ResNet-34 (He et al. 2016).
    ResNet34,
}

/// Shapes of a network. Two come with the code, [`NetworkConfig::tiny`] and [`NetworkConfig::base`]; any other may be
/// read from a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkConfig {
    /// Its name in tables and model cards.
    pub name: String,
    /// Cameras of a rig; a rig with fewer leaves the rest masked.
    pub cameras: usize,
    /// Image height and width after preparation, px, multiples of 32.
    pub image: [usize; 2],
    /// The image backbone.
    pub backbone: Backbone,
    /// Channels of the feature pyramid.
    pub neck: usize,
    /// Channels that are lifted from the images to the grid.
    pub context: usize,
    /// Depths that the images tell apart.
    pub depth: DepthBins,
    /// The bird's-eye-view grid.
    pub grid: Grid,
    /// Channels of the grid before its encoder.
    pub lifted: usize,
    /// Channels of the grid's encoder at half, quarter and eighth of the resolution.
    pub encoder: [usize; 3],
    /// Residual blocks of the encoder at each of them.
    pub blocks: [usize; 3],
    /// Hidden channels of the heads.
    pub head: usize,
    /// Objects for which forecasts are made, the most certain first.
    pub forecast_objects: usize,
}

/// Depth bins, equally spaced in the logarithm, m.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DepthBins {
    /// Where the first begins.
    pub from_m: f64,
    /// Where the last ends.
    pub to_m: f64,
    /// How many.
    pub count: usize,
}

impl DepthBins {
    /// The bin of a depth; the first and the last take in all that lies beyond.
    pub fn bin(&self, depth_m: f64) -> usize {
        let place = (depth_m.max(self.from_m) / self.from_m).ln() / (self.to_m / self.from_m).ln();
        ((place * self.count as f64) as usize).min(self.count - 1)
    }
}

/// A square grid around the vehicle, in its frame on the ground: rows along x (forward), columns along y (left).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// From the centre to each side, m.
    pub extent_m: f64,
    /// Cells along a side, a multiple of 8.
    pub cells: usize,
    /// Heights above the ground at which images are sampled, m.
    pub heights_m: Vec<f64>,
}

impl Grid {
    /// The side of a cell, m.
    pub fn cell_m(&self) -> f64 {
        2.0 * self.extent_m / self.cells as f64
    }

    /// Coordinate of a cell's centre along either axis, m.
    pub fn center_m(&self, index: usize) -> f64 {
        (index as f64 + 0.5) * self.cell_m() - self.extent_m
    }

    /// The centre of cell `row · cells + column`, m.
    pub fn center(&self, cell: usize) -> [f64; 2] {
        [self.center_m(cell / self.cells), self.center_m(cell % self.cells)]
    }

    /// The fractional cell of a coordinate: 0 at the outer edge of the first cell.
    pub fn place(&self, coordinate_m: f64) -> f64 {
        (coordinate_m + self.extent_m) / self.cell_m()
    }

    /// The cell that a point in the vehicle's frame lies in, row and column; `None` outside.
    pub fn cell(&self, x_m: f64, y_m: f64) -> Option<[usize; 2]> {
        let index = |coordinate_m: f64| {
            let place = self.place(coordinate_m);
            (place >= 0.0 && place < self.cells as f64).then_some(place as usize)
        };
        Some([index(x_m)?, index(y_m)?])
    }
}

impl NetworkConfig {
    /// The network for processors: six cameras of 448 × 160.
    pub fn tiny() -> Self {
        Self {
            name: "tiny".into(),
            cameras: 6,
            image: [160, 448],
            backbone: Backbone::EfficientNetLite0,
            neck: 48,
            context: 32,
            depth: DepthBins { from_m: 1.5, to_m: 60.0, count: 80 },
            grid: Grid { extent_m: 51.2, cells: 128, heights_m: vec![0.0, 1.0, 2.5] },
            lifted: 48,
            encoder: [48, 96, 128],
            blocks: [2, 2, 2],
            head: 64,
            forecast_objects: 96,
        }
    }

    /// The network for a GPU: six cameras of 704 × 256.
    pub fn base() -> Self {
        Self {
            name: "base".into(),
            image: [256, 704],
            backbone: Backbone::ResNet34,
            neck: 128,
            context: 80,
            grid: Grid { heights_m: vec![0.0, 0.6, 1.2, 1.8, 2.6, 3.6], ..Self::tiny().grid },
            lifted: 80,
            encoder: [128, 256, 256],
            blocks: [3, 3, 2],
            head: 128,
            forecast_objects: 128,
            ..Self::tiny()
        }
    }

    /// The shape of the grids that `batch` frames leave for the next: `[batch, fine, cells / 2, cells / 2]`.
    pub fn kept(&self, batch: usize) -> [usize; 4] {
        let half = self.grid.cells / 2;
        [batch, self.encoder[0], half, half]
    }

    /// One of the configurations that come with the code, by name, or one read from a JSON file.
    ///
    /// # Errors
    /// For a file that cannot be read, does not parse, or describes no network.
    pub fn named(name: &str) -> Result<Self, Error> {
        match name {
            "tiny" => Ok(Self::tiny()),
            "base" => Ok(Self::base()),
            path => {
                let path = std::path::Path::new(path);
                let text = std::fs::read(path).map_err(Error::io(path))?;
                let config: Self = serde_json::from_slice(&text).map_err(Error::json(path))?;
                config.check().map_err(|reason| Error::Config { path: path.into(), reason })?;
                Ok(config)
            }
        }
    }

    /// Whether the shapes fit together.
    ///
    /// # Errors
    /// What does not, naming the field.
    pub fn check(&self) -> Result<(), String> {
        let is_at_least_one = |field: &str, value: usize| match value {
            0 => Err(format!("{field} is 0")),
            _ => Ok(()),
        };
        for (field, value) in [
            ("cameras", self.cameras),
            ("neck", self.neck),
            ("context", self.context),
            ("depth.count", self.depth.count),
            ("encoder", self.encoder.into_iter().fold(usize::MAX, usize::min)),
            ("lifted", self.lifted),
            ("head", self.head),
            ("forecast_objects", self.forecast_objects),
            ("grid.heights_m", self.grid.heights_m.len()),
        ] {
            is_at_least_one(field, value)?;
        }
        if self.image.iter().any(|side| *side == 0 || side % 32 != 0) {
            return Err(format!("image {:?} is not made of multiples of 32", self.image));
        }
        if self.grid.cells == 0 || !self.grid.cells.is_multiple_of(8) {
            return Err(format!("grid.cells {} is not a multiple of 8", self.grid.cells));
        }
        if !(self.grid.extent_m.is_finite() && self.grid.extent_m > 0.0) {
            return Err(format!("grid.extent_m {} is not a length", self.grid.extent_m));
        }
        if !(self.depth.from_m > 0.0 && self.depth.to_m > self.depth.from_m && self.depth.to_m.is_finite()) {
            return Err(format!("depth from {} m to {} m is no range", self.depth.from_m, self.depth.to_m));
        }
        Ok(())
    }
}
