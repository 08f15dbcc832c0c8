//! Polygons from closed lines: outer rings, and the holes in them.

use nalgebra::Point2;

use crate::geometry::Polygon;

/// A ring without its closing point.
pub(crate) fn opened(mut ring: Vec<Point2<f64>>) -> Vec<Point2<f64>> {
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    ring
}

/// Whether a line ends where it began and encloses something.
pub(crate) fn is_closed(line: &[Point2<f64>]) -> bool {
    line.len() >= 4 && line.first() == line.last()
}

/// Sorts rings that do not cross into polygons with holes: a ring within an odd number of others is a hole in the
/// smallest of them.
pub(crate) fn polygons(rings: Vec<Vec<Point2<f64>>>) -> Vec<Polygon> {
    let rings: Vec<Polygon> =
        rings.into_iter().map(|ring| Polygon { exterior: opened(ring), holes: Vec::new() }).collect();
    let around: Vec<Vec<usize>> = (0..rings.len())
        .map(|inner| {
            (0..rings.len())
                .filter(|outer| *outer != inner)
                .filter(|outer| rings[inner].exterior.first().is_some_and(|point| rings[*outer].contains(*point)))
                .collect()
        })
        .collect();
    let mut found: Vec<Option<Polygon>> =
        (0..rings.len()).map(|index| around[index].len().is_multiple_of(2).then(|| rings[index].clone())).collect();
    for (index, outers) in around.iter().enumerate() {
        // The innermost of the rings around a hole is the one that lies within all the others.
        if found[index].is_none()
            && let Some(outer) = outers.iter().copied().max_by_key(|outer| around[*outer].len())
            && let Some(polygon) = &mut found[outer]
        {
            polygon.holes.push(rings[index].exterior.clone());
        }
    }
    found.into_iter().flatten().collect()
}
