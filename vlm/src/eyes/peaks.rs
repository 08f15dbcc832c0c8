//! The most telling places of an image, and what stands there.

use nalgebra::{Point3, Vector3};
use tandem_datasets::Camera;

use super::glance::Sighting;
use super::network::{DEPTH_UNIT_M, NUMBERS, STRIDE};
use super::words::is_ordinary;

/// Things that an image can show at most.
const MOST: usize = 24;

/// What the fast system tells of anyway counts so much when the most telling things are chosen.
const ORDINARY_WEIGHT: f32 = 0.5;

/// Logarithms of sizes and depths are at most so large.
const LARGEST: f32 = 6.0;

/// What the network says of every place of an image, `[channels, rows, columns]` each.
pub(super) struct Planes {
    /// How probable each of the words is.
    pub scores: Vec<f32>,
    /// Of the box that a thing has, see [`NUMBERS`].
    pub numbers: Vec<f32>,
    /// What the network makes of a place.
    pub features: Vec<f32>,
    /// Rows and columns.
    pub size: [usize; 2],
}

impl Planes {
    fn count(&self) -> usize {
        self.size[0] * self.size[1]
    }

    /// One number of every channel.
    fn at(&self, planes: &[f32], cell: usize) -> Vec<f32> {
        planes.iter().skip(cell).step_by(self.count()).copied().collect()
    }

    /// The cells that are more telling than those around them, the most telling first (after Zhou et al. 2019).
    pub fn peaks(&self) -> Vec<usize> {
        let [rows, columns] = self.size;
        let weight = |word: usize| if is_ordinary(word) { ORDINARY_WEIGHT } else { 1.0 };
        let mut telling = vec![0.0_f32; self.count()];
        for (word, plane) in self.scores.chunks_exact(self.count()).enumerate() {
            telling.iter_mut().zip(plane).for_each(|(most, score)| *most = most.max(weight(word) * score));
        }
        let is_peak = |cell: &usize| {
            let (row, column) = (cell / columns, cell % columns);
            let around = |at: usize, count: usize| at.saturating_sub(1)..(at + 2).min(count);
            let cells = around(row, rows).flat_map(|row| around(column, columns).map(move |c| row * columns + c));
            // Of equals the first is taken.
            let loses_to =
                |other: usize| telling[other] > telling[*cell] || (telling[other] == telling[*cell] && other < *cell);
            !cells.into_iter().any(loses_to)
        };
        let mut peaks: Vec<usize> = (0..self.count()).filter(is_peak).collect();
        peaks.sort_by(|a, b| telling[*b].total_cmp(&telling[*a]).then(a.cmp(b)));
        peaks.truncate(MOST);
        peaks
    }

    /// What is at a cell of the image of a prepared `camera`, `source` being the camera before.
    pub fn sighting(&self, cell: usize, camera: &Camera, source: &Camera) -> Sighting {
        let columns = self.size[1];
        let numbers: [f32; NUMBERS] = std::array::from_fn(|number| self.numbers[number * self.count() + cell]);
        let [right, down, width, height, depth] = numbers;
        let middle = |at: usize, off: f32| (at as f64 + 0.5 + f64::from(off)) * STRIDE as f64;
        let (x, y) = (middle(cell % columns, right), middle(cell / columns, down));
        let half = |size: f32| f64::from(size.min(LARGEST).exp()) * STRIDE as f64 / 2.0;
        let (k, known) = (&source.intrinsics, &camera.intrinsics);
        // From the prepared image to the one that was taken.
        let share = |at: f64, axis: usize| {
            let in_source = (at - known[(axis, 2)]) * k[(axis, axis)] / known[(axis, axis)] + k[(axis, 2)];
            (in_source / f64::from(source.image_size[axis])).clamp(0.0, 1.0) as f32
        };
        let depth_m = f64::from(depth.clamp(-LARGEST, LARGEST).exp()) * DEPTH_UNIT_M;
        let ray = Vector3::new((x - known[(0, 2)]) / known[(0, 0)], (y - known[(1, 2)]) / known[(1, 1)], 1.0);
        let place = camera.ego_from_camera * Point3::from(ray * depth_m);
        let (across, along) = (half(width), half(height));
        Sighting {
            scores: self.at(&self.scores, cell),
            bounds: [share(x - across, 0), share(y - along, 1), share(x + across, 0), share(y + along, 1)],
            depth_m: depth_m as f32,
            place_m: [place.x as f32, place.y as f32],
            features: self.at(&self.features, cell),
        }
    }
}

#[cfg(test)]
mod tests {
    use tandem_sim::camera::rig;

    use super::super::network::FEATURES;
    use super::super::place::Place;
    use super::super::train::target::Target;
    use super::super::view::cameras;
    use super::super::words::WORDS;
    use super::*;

    /// What is read of an image whose network says just what it was taught.
    fn read_back(target: &Target, camera: &Camera, source: &Camera) -> Vec<(usize, Sighting)> {
        let [columns, rows] = camera.image_size.map(|side| side as usize / STRIDE);
        let count = rows * columns;
        let mut numbers = vec![0.0; NUMBERS * count];
        for (cell, values) in &target.things {
            values.iter().enumerate().for_each(|(number, value)| numbers[number * count + cell] = *value);
        }
        let features = vec![0.0; FEATURES * count];
        let planes = Planes { scores: target.heat.clone(), numbers, features, size: [rows, columns] };
        let sightings = planes.peaks().into_iter().map(|cell| planes.sighting(cell, camera, source));
        sightings.map(|sighting| (sighting.word().0, sighting)).collect()
    }

    #[test]
    fn what_is_taught_of_an_image_is_read_back_as_it_was_shown_and_lies_where_it_is() {
        let mut checked = 0;
        for seed in [10, 3, 5, 8] {
            let place = Place::new(seed).unwrap();
            let stamp = place.stamp(place.staging.hazard.as_ref().unwrap().visible_from_s + 1.0);
            let map_from_ego = place.map_from_ego(stamp);
            // The camera's own images are larger, and higher than what is looked at of them.
            let source = &rig::varied(&rig::nuscenes(800, 450), seed)[0];
            let prepared = rig::fitted(source, 704, 256);
            let shots = place.shots(&[source.clone(), prepared.clone()], &map_from_ego, stamp);
            let shown = place.shown(&prepared, &map_from_ego, stamp, &shots[1]);
            let in_source = place.shown(source, &map_from_ego, stamp, &shots[0]);
            let sightings = read_back(&Target::new(&shown, &prepared), &prepared, source);
            let is_whole = |bounds: [f32; 4]| bounds.iter().all(|edge| (0.01..0.99).contains(edge));
            for thing in shown.iter().filter(|thing| thing.is_clear && is_whole(thing.bounds)) {
                // Of things that stand behind each other one may hide the other's peak.
                let of_word = sightings.iter().filter(|(word, _)| *word == thing.word);
                let Some((_, sighting)) = of_word.into_iter().find(|(_, s)| (s.depth_m - thing.depth_m).abs() < 0.01)
                else {
                    continue;
                };
                let same = in_source.iter().find(|other| other.depth_m == thing.depth_m && other.word == thing.word);
                let off = |edge: usize| (same.unwrap().bounds[edge] - sighting.bounds[edge]).abs();
                assert!((0..4).all(|edge| off(edge) < 2e-3), "{:?} is not {:?}", sighting.bounds, same.unwrap().bounds);
                let tracks = place.log.tracks.iter().filter_map(|track| track.at(stamp, 200_000_000));
                let off_m = tracks.map(|state| {
                    let at = nalgebra::Point3::new(state.pose.x, state.pose.y, state.z);
                    let in_ego = map_from_ego.inverse_transform_point(&at);
                    let [x, y] = sighting.place_m.map(f64::from);
                    (in_ego.x - x).hypot(in_ego.y - y)
                });
                assert!(off_m.fold(f64::INFINITY, f64::min) < 0.3, "{} at {:?}", WORDS[thing.word], sighting.place_m);
                checked += 1;
            }
        }
        assert!(checked >= 15, "{checked}");
    }

    #[test]
    fn the_most_telling_comes_first_and_neighbours_do_not_come_twice() {
        let size = [3, 4];
        let mut scores = vec![0.01; WORDS.len() * 12];
        let (car, deer) = (0, WORDS.iter().position(|word| *word == "deer").unwrap());
        (scores[car * 12], scores[car * 12 + 1]) = (0.9, 0.8);
        scores[deer * 12 + 11] = 0.6;
        let planes = Planes { scores, numbers: vec![0.0; NUMBERS * 12], features: vec![0.0; FEATURES * 12], size };
        let peaks = planes.peaks();
        assert_eq!(&peaks[..2], &[11, 0]);
        assert!(!peaks.contains(&1));
        let cameras = cameras();
        assert_eq!(planes.sighting(11, &cameras[0], &cameras[0]).word(), (deer, 0.6));
    }
}
