//! A drive on which nothing happens: who sees hazards there cries wolf.

use std::f64::consts::PI;

use super::super::stage::Stage;
use super::street::{Side, Street, Wish};
use super::things;

/// A drive on which nothing happens, past what might have been something.
pub(super) fn calm(mut stage: Stage) -> Street {
    let several_lanes = stage.chance(0.5);
    let lane = if stage.chance(0.6) { Side::Right } else { Side::Left };
    let strip_m = if stage.chance(0.5) { 2.3 } else { 0.0 };
    let mut street = Street::open(stage, Wish { several_lanes, lane, strip_m, rural: false });
    let (at_m, kerb_m) = (street.at_m, street.kerb_m());
    if street.layout.parking_m > 2.2 {
        let vehicle = things::tall_vehicle(&mut street.stage);
        if vehicle.size[1] < street.layout.parking_m {
            street.put(vehicle, at_m, street.layout.parking_m / 2.0 - kerb_m, 0.0);
        }
    }
    for index in 0..street.stage.draw(0.0, 4.0) as usize {
        let thing = match street.stage.draw(0.0, 5.0) as usize {
            0 => things::cone(&mut street.stage),
            1 => things::child(&mut street.stage),
            2 => things::dog(&mut street.stage),
            3 => things::small_debris(&mut street.stage),
            _ => things::person(&mut street.stage),
        };
        let (along_m, beyond_m) = (at_m + 12.0 * index as f64, street.stage.draw(1.2, 2.4));
        let yaw_rad = street.stage.draw(-PI, PI);
        street.put(thing, along_m, -kerb_m - beyond_m, yaw_rad);
    }
    street.parked([at_m - 8.0, at_m + 8.0], 0.6);
    street.traffic(true, true);
    street
}
