//! What a pixel shows, as a number.

use tandem_datasets::DetectionClass;

/// The sky, and what is too far away to be known.
pub const SKY: u8 = 0;
/// The road's surface.
pub const ROAD: u8 = 1;
/// Paint on the road.
pub const MARKING: u8 = 2;
/// Pavements and kerbs.
pub const PAVEMENT: u8 = 3;
/// Grass, earth, squares.
pub const TERRAIN: u8 = 4;
/// Buildings.
pub const BUILDING: u8 = 5;
/// Trees and bushes.
pub const VEGETATION: u8 = 6;
/// Posts, lamps, signs.
pub const POLE: u8 = 7;
/// Traffic lights.
pub const SIGNAL: u8 = 8;
/// Fences and walls.
pub const FENCE: u8 = 9;
/// The first of the ten detection classes, in their order.
pub const FIRST_OBJECT: u8 = 10;
/// Objects of no detection class.
pub const OTHER_OBJECT: u8 = 20;

/// Water on the road.
pub const WATER: u8 = 21;

/// The number of an object's class.
pub fn of_object(class: Option<DetectionClass>) -> u8 {
    class.map_or(OTHER_OBJECT, |class| FIRST_OBJECT + class.index() as u8)
}

/// The object class of a number; `None` for what is no object or of no detection class.
pub fn object_class(number: u8) -> Option<DetectionClass> {
    DetectionClass::ALL.get(usize::from(number.checked_sub(FIRST_OBJECT)?)).copied()
}
