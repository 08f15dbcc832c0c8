//! The fast system: camera images become objects, map, forecasts and an ego path in bird's-eye view.
