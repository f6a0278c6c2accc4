//! Geometry on the sphere and on the flat map, as in MongoDB.

use crate::model::value::GeoPoint;

/// Radius of the earth in miles, with which Parse converts miles to radians.
pub const MILES: f64 = 3959.0;
/// Radius of the earth in kilometres, with which Parse converts kilometres to radians.
pub const KILOMETERS: f64 = 6371.0;

/// A direction from the centre of the earth, of length 1.
type Vector = [f64; 3];

/// Distance on the sphere in radians.
#[must_use]
pub fn distance(from: GeoPoint, to: GeoPoint) -> f64 {
    angle(vector(from), vector(to))
}

/// Whether both coordinates are valid: latitude within ±90, longitude within ±180 degrees.
#[must_use]
pub fn is_on_map(point: GeoPoint) -> bool {
    point.latitude.abs() <= 90.0 && point.longitude.abs() <= 180.0
}

/// Whether a polygon has at least three different corners, as `GeoJSON` requires.
#[must_use]
pub fn is_polygon(corners: &[GeoPoint]) -> bool {
    let mut different: Vec<GeoPoint> = Vec::with_capacity(3);
    for corner in corners {
        if !different.contains(corner) {
            different.push(*corner);
        }
        if different.len() == 3 {
            return true;
        }
    }
    false
}

/// Whether the point is in the box on the flat map, its edges included. Corners may be given in any order.
#[must_use]
pub fn in_box(point: GeoPoint, one: GeoPoint, other: GeoPoint) -> bool {
    let between = |value: f64, one: f64, other: f64| one.min(other) <= value && value <= one.max(other);
    between(point.longitude, one.longitude, other.longitude) && between(point.latitude, one.latitude, other.latitude)
}

/// Whether the point is in the polygon on the flat map. Corners and edges along the axes belong to it; of the other
/// edges those on its eastern side, as in MongoDB.
#[must_use]
#[expect(clippy::float_cmp, reason = "a point is on a line only if it is exactly there")]
pub fn in_flat_polygon(point: GeoPoint, corners: &[GeoPoint]) -> bool {
    let (x, y) = (point.longitude, point.latitude);
    let mut inside = false;
    for (from, to) in edges(corners) {
        let (from_x, from_y, to_x, to_y) = (from.longitude, from.latitude, to.longitude, to.latitude);
        let along_axis = from_x == to_x || from_y == to_y;
        if from == point || (along_axis && in_box(point, from, to)) {
            return true;
        }
        if (from_y < y) != (to_y < y) && x <= (to_x - from_x) * (y - from_y) / (to_y - from_y) + from_x {
            inside = !inside;
        }
    }
    inside
}

/// Whether the point is within this many radians of the centre.
#[must_use]
pub fn in_circle(point: GeoPoint, center: GeoPoint, radius: f64) -> bool {
    distance(point, center) <= radius
}

/// Whether the polygon covers the point on the sphere. Edges are great circles; of the two areas that the corners bound
/// the smaller one is meant. Corners and edges belong to the polygon.
#[must_use]
pub fn in_sphere_polygon(point: GeoPoint, corners: &[GeoPoint]) -> bool {
    const EDGE: f64 = 1e-15;
    let center = vector(point);
    let mut turned = 0.0;
    for (from, to) in edges(corners) {
        let (from, to) = (vector(from), vector(to));
        let (to_from, to_to) = (angle(center, from), angle(center, to));
        if to_from <= EDGE || to_to <= EDGE {
            return true;
        }
        let normal = cross(from, to);
        let length = dot(normal, normal).sqrt();
        if length <= EDGE {
            continue;
        }
        // On the edge: in its plane, and between its ends.
        if (dot(normal, center) / length).abs() <= EDGE && (to_from + to_to - angle(from, to)).abs() <= 1e-9 {
            return true;
        }
        // By how much the direction towards the edge turns, seen from the point.
        let (one, other) = (cross(center, from), cross(center, to));
        turned += dot(center, cross(one, other)).atan2(dot(one, other));
    }
    // A closed way around the point turns once. Around the opposite side of the earth it turns as well: there the
    // corners lie on the other half.
    turned.abs() > std::f64::consts::PI && !surrounds_antipode(center, corners)
}

/// Whether the polygon lies around the point opposite of this one rather than around this one.
fn surrounds_antipode(center: Vector, corners: &[GeoPoint]) -> bool {
    let sum = corners.iter().fold([0.0, 0.0, 0.0], |[x, y, z]: Vector, corner| {
        let [dx, dy, dz] = vector(*corner);
        [x + dx, y + dy, z + dz]
    });
    dot(sum, center) < 0.0
}

/// The sides of a polygon, closed.
fn edges(corners: &[GeoPoint]) -> impl Iterator<Item = (GeoPoint, GeoPoint)> + '_ {
    let last = corners.last().copied();
    last.into_iter().chain(corners.iter().copied()).zip(corners.iter().copied())
}

fn vector(point: GeoPoint) -> Vector {
    let (latitude, longitude) = (point.latitude.to_radians(), point.longitude.to_radians());
    [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
}

fn cross([ax, ay, az]: Vector, [bx, by, bz]: Vector) -> Vector {
    [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx]
}

fn dot([ax, ay, az]: Vector, [bx, by, bz]: Vector) -> f64 {
    ax * bx + ay * by + az * bz
}

fn angle(one: Vector, other: Vector) -> f64 {
    let across = cross(one, other);
    dot(across, across).sqrt().atan2(dot(one, other))
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn point(latitude: f64, longitude: f64) -> GeoPoint {
        GeoPoint { latitude, longitude }
    }

    #[test]
    fn distances() {
        let (sf, la) = (point(37.77, -122.42), point(34.05, -118.24));
        assert!((distance(sf, la) * KILOMETERS - 558.9).abs() < 1.0);
        assert!(distance(sf, sf) < 1e-12);
        assert!((distance(point(0.0, 0.0), point(0.0, 180.0)) - std::f64::consts::PI).abs() < 1e-12);
        assert!(in_circle(la, sf, 0.1) && !in_circle(la, sf, 0.05));
    }

    #[test]
    fn flat_areas() {
        let square = [point(0.0, 0.0), point(0.0, 2.0), point(2.0, 2.0), point(2.0, 0.0)];
        for (inside, expected) in [
            (point(1.0, 1.0), true),
            (point(0.0, 1.0), true),
            (point(2.0, 2.0), true),
            (point(3.0, 1.0), false),
            (point(1.0, -0.1), false),
        ] {
            assert_eq!(in_flat_polygon(inside, &square), expected, "{inside:?}");
            assert_eq!(in_box(inside, point(0.0, 0.0), point(2.0, 2.0)), expected, "{inside:?}");
        }
    }

    #[test]
    fn polygons_on_the_sphere() {
        let unit = [point(0.0, 0.0), point(0.0, 1.0), point(1.0, 1.0), point(1.0, 0.0)];
        for (inside, expected) in [
            (point(0.5, 0.5), true),
            (point(0.0, 0.0), true),
            (point(0.0, 0.5), true),
            (point(5.0, 5.0), false),
            (point(-0.5, -179.5), false),
            (point(0.5, -0.0001), false),
        ] {
            assert_eq!(in_sphere_polygon(inside, &unit), expected, "{inside:?}");
        }
        // Across the date line.
        let line = [point(-1.0, 179.0), point(-1.0, -179.0), point(1.0, -179.0), point(1.0, 179.0)];
        assert!(in_sphere_polygon(point(0.0, 180.0), &line));
        assert!(!in_sphere_polygon(point(0.0, 0.0), &line));
    }

    #[test]
    fn polygons_need_three_corners() {
        assert!(is_polygon(&[point(0.0, 0.0), point(0.0, 1.0), point(1.0, 1.0)]));
        assert!(!is_polygon(&[point(0.0, 0.0), point(0.0, 1.0), point(0.0, 0.0)]));
    }
}
