//! Points, poses, velocities and transforms, in metres, radians and seconds.

use super::std_msgs::Header;

message! {
    /// A vector.
    #[derive(Copy)]
    geometry_msgs::Vector3 {
        /// Along x.
        x: f64,
        /// Along y.
        y: f64,
        /// Along z.
        z: f64,
    }
}

message! {
    /// A point, m.
    #[derive(Copy)]
    geometry_msgs::Point {
        /// Along x.
        x: f64,
        /// Along y.
        y: f64,
        /// Along z.
        z: f64,
    }
}

message! {
    /// A point in single precision, m.
    #[derive(Copy)]
    geometry_msgs::Point32 {
        /// Along x.
        x: f32,
        /// Along y.
        y: f32,
        /// Along z.
        z: f32,
    }
}

message! {
    /// A ring of points, open: the last is not the first again.
    geometry_msgs::Polygon {
        /// The corners.
        points: Vec<Point32>,
    }
}

message! {
    /// A rotation as a unit quaternion.
    #[derive(Copy)]
    geometry_msgs::Quaternion {
        /// The x part.
        x: f64,
        /// The y part.
        y: f64,
        /// The z part.
        z: f64,
        /// The real part.
        w: f64 = 1.0,
    }
}

impl Quaternion {
    /// The rotation about z by `yaw_rad`, counter-clockwise.
    pub fn from_yaw(yaw_rad: f64) -> Self {
        let (sin, cos) = (yaw_rad / 2.0).sin_cos();
        Self { x: 0.0, y: 0.0, z: sin, w: cos }
    }

    /// The direction of the rotated x axis on the ground plane, rad, counter-clockwise.
    pub fn yaw_rad(&self) -> f64 {
        let Self { x, y, z, w } = self;
        (2.0 * (w * z + x * y)).atan2(w * w + x * x - y * y - z * z)
    }
}

message! {
    /// A position and orientation.
    #[derive(Copy)]
    geometry_msgs::Pose {
        /// The position, m.
        position: Point,
        /// The orientation.
        orientation: Quaternion,
    }
}

message! {
    /// A pose in a frame at a time.
    geometry_msgs::PoseStamped {
        /// Time and frame.
        header: Header,
        /// The pose.
        pose: Pose,
    }
}

message! {
    /// Poses in a frame at a time.
    geometry_msgs::PoseArray {
        /// Time and frame.
        header: Header,
        /// The poses.
        poses: Vec<Pose>,
    }
}

message! {
    /// A pose and how sure it is.
    geometry_msgs::PoseWithCovariance {
        /// The pose.
        pose: Pose,
        /// Row-major 6 × 6: x, y, z, rotation about x, y, z.
        #[serde(with = "super::array")]
        covariance: [f64; 36],
    }
}

message! {
    /// A velocity.
    #[derive(Copy)]
    geometry_msgs::Twist {
        /// Linear, m/s.
        linear: Vector3,
        /// Angular, rad/s.
        angular: Vector3,
    }
}

message! {
    /// A velocity in a frame at a time.
    geometry_msgs::TwistStamped {
        /// Time and frame.
        header: Header,
        /// The velocity.
        twist: Twist,
    }
}

message! {
    /// A velocity and how sure it is.
    geometry_msgs::TwistWithCovariance {
        /// The velocity.
        twist: Twist,
        /// Row-major 6 × 6: linear x, y, z, angular x, y, z.
        #[serde(with = "super::array")]
        covariance: [f64; 36],
    }
}

message! {
    /// An acceleration.
    #[derive(Copy)]
    geometry_msgs::Accel {
        /// Linear, m/s².
        linear: Vector3,
        /// Angular, rad/s².
        angular: Vector3,
    }
}

message! {
    /// An acceleration and how sure it is.
    geometry_msgs::AccelWithCovariance {
        /// The acceleration.
        accel: Accel,
        /// Row-major 6 × 6: linear x, y, z, angular x, y, z.
        #[serde(with = "super::array")]
        covariance: [f64; 36],
    }
}

message! {
    /// An acceleration and how sure it is, in a frame at a time.
    geometry_msgs::AccelWithCovarianceStamped {
        /// Time and frame.
        header: Header,
        /// The acceleration.
        accel: AccelWithCovariance,
    }
}

message! {
    /// Where a frame lies in another: `parent_from_child`.
    #[derive(Copy)]
    geometry_msgs::Transform {
        /// The child's origin in the parent, m.
        translation: Vector3,
        /// The child's orientation in the parent.
        rotation: Quaternion,
    }
}

message! {
    /// A transform between two named frames at a time.
    geometry_msgs::TransformStamped {
        /// Time and parent frame.
        header: Header,
        /// The child frame.
        child_frame_id: String,
        /// `parent_from_child`.
        transform: Transform,
    }
}
