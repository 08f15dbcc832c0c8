//! Shapes to draw.

use super::builtin_interfaces::Duration;
use super::geometry_msgs::{Point, Pose, Vector3};
use super::sensor_msgs::CompressedImage;
use super::std_msgs::{ColorRGBA, Header};

message! {
    /// A place in a texture, each part 0 to 1.
    #[derive(Copy)]
    visualization_msgs::UVCoordinate {
        /// To the right.
        u: f32,
        /// Down.
        v: f32,
    }
}

message! {
    /// A mesh file.
    #[derive(Eq)]
    visualization_msgs::MeshFile {
        /// Its name, whose ending tells the format.
        filename: String,
        /// Its content.
        data: Vec<u8>,
    }
}

message! {
    /// One shape.
    visualization_msgs::Marker {
        /// Time and frame.
        header: Header,
        /// The name space that makes `id` unique.
        ns: String,
        /// Its number there.
        id: i32,
        /// The kind of shape.
        r#type: i32,
        /// What to do with it.
        action: i32,
        /// Where.
        pose: Pose,
        /// How large, m.
        scale: Vector3,
        /// Its colour.
        color: ColorRGBA,
        /// How long it stays; 0 for good.
        lifetime: Duration,
        /// Whether it moves along with its frame.
        frame_locked: bool,
        /// Points of lists and strips.
        points: Vec<Point>,
        /// A colour each, or none.
        colors: Vec<ColorRGBA>,
        /// Where the texture is.
        texture_resource: String,
        /// The texture itself.
        texture: CompressedImage,
        /// A place in the texture for each point.
        uv_coordinates: Vec<UVCoordinate>,
        /// The text of a text marker.
        text: String,
        /// Where the mesh is.
        mesh_resource: String,
        /// The mesh itself.
        mesh_file: MeshFile,
        /// Whether to use the mesh's own materials.
        mesh_use_embedded_materials: bool,
    }
    const {
        /// An arrow.
        ARROW: i32 = 0,
        /// A box.
        CUBE: i32 = 1,
        /// A ball.
        SPHERE: i32 = 2,
        /// A cylinder.
        CYLINDER: i32 = 3,
        /// A line through all points.
        LINE_STRIP: i32 = 4,
        /// A line for each pair of points.
        LINE_LIST: i32 = 5,
        /// A box at each point.
        CUBE_LIST: i32 = 6,
        /// A ball at each point.
        SPHERE_LIST: i32 = 7,
        /// Points.
        POINTS: i32 = 8,
        /// Text that faces the viewer.
        TEXT_VIEW_FACING: i32 = 9,
        /// A mesh.
        MESH_RESOURCE: i32 = 10,
        /// A triangle for each three points.
        TRIANGLE_LIST: i32 = 11,
        /// A strip of arrows.
        ARROW_STRIP: i32 = 12,
        /// Draw it, or change it.
        ADD: i32 = 0,
        /// Take it away.
        DELETE: i32 = 2,
        /// Take all away.
        DELETEALL: i32 = 3,
    }
}

message! {
    /// Many shapes.
    visualization_msgs::MarkerArray {
        /// The shapes.
        markers: Vec<Marker>,
    }
}
