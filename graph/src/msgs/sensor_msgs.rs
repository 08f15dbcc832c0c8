//! Images, camera calibration, point clouds, inertial and satellite measurements.

use super::geometry_msgs::{Quaternion, Vector3};
use super::std_msgs::Header;

message! {
    /// An image, not compressed.
    #[derive(Eq)]
    sensor_msgs::Image {
        /// Time and the camera's optical frame.
        header: Header,
        /// Rows.
        height: u32,
        /// Columns.
        width: u32,
        /// The pixel format, such as `rgb8`.
        encoding: String,
        /// Whether values of several bytes are big-endian (1) or not (0).
        is_bigendian: u8,
        /// Bytes a row.
        step: u32,
        /// The rows, `step × height` bytes.
        data: Vec<u8>,
    }
}

message! {
    /// An image file.
    #[derive(Eq)]
    sensor_msgs::CompressedImage {
        /// Time and the camera's optical frame.
        header: Header,
        /// The file format: `jpeg`, `png`.
        format: String,
        /// The file.
        data: Vec<u8>,
    }
}

message! {
    /// A part of an image.
    #[derive(Copy, Eq)]
    sensor_msgs::RegionOfInterest {
        /// First column.
        x_offset: u32,
        /// First row.
        y_offset: u32,
        /// Rows.
        height: u32,
        /// Columns.
        width: u32,
        /// Whether it differs between the raw and the rectified image.
        do_rectify: bool,
    }
}

message! {
    /// A camera's calibration.
    sensor_msgs::CameraInfo {
        /// Time and the camera's optical frame.
        header: Header,
        /// Rows.
        height: u32,
        /// Columns.
        width: u32,
        /// The lens model, such as `plumb_bob`.
        distortion_model: String,
        /// Its parameters.
        d: Vec<f64>,
        /// Intrinsic matrix of the raw image, row-major 3 × 3, pixels.
        k: [f64; 9],
        /// Rectification, row-major 3 × 3.
        r: [f64; 9],
        /// Projection of the rectified image, row-major 3 × 4, pixels.
        p: [f64; 12],
        /// Columns merged into one; 0 is 1.
        binning_x: u32,
        /// Rows merged into one; 0 is 1.
        binning_y: u32,
        /// The part that is sent; all zero is all.
        roi: RegionOfInterest,
    }
}

message! {
    /// What one field of a point is.
    #[derive(Eq)]
    sensor_msgs::PointField {
        /// Its name: `x`, `intensity`.
        name: String,
        /// Bytes from the point's start.
        offset: u32,
        /// The number type.
        datatype: u8,
        /// How many of it.
        count: u32,
    }
    const {
        /// Signed, 8 bits.
        INT8: u8 = 1,
        /// Unsigned, 8 bits.
        UINT8: u8 = 2,
        /// Signed, 16 bits.
        INT16: u8 = 3,
        /// Unsigned, 16 bits.
        UINT16: u8 = 4,
        /// Signed, 32 bits.
        INT32: u8 = 5,
        /// Unsigned, 32 bits.
        UINT32: u8 = 6,
        /// Floating point, 32 bits.
        FLOAT32: u8 = 7,
        /// Floating point, 64 bits.
        FLOAT64: u8 = 8,
    }
}

message! {
    /// A cloud of points.
    #[derive(Eq)]
    sensor_msgs::PointCloud2 {
        /// Time and frame.
        header: Header,
        /// Rows; 1 if not ordered.
        height: u32,
        /// Points a row.
        width: u32,
        /// What a point is made of.
        fields: Vec<PointField>,
        /// Whether its numbers are big-endian.
        is_bigendian: bool,
        /// Bytes a point.
        point_step: u32,
        /// Bytes a row.
        row_step: u32,
        /// The points, `row_step × height` bytes.
        data: Vec<u8>,
        /// Whether all points are valid.
        is_dense: bool,
    }
}

message! {
    /// An inertial measurement.
    sensor_msgs::Imu {
        /// Time and the sensor's frame.
        header: Header,
        /// The orientation.
        orientation: Quaternion,
        /// Row-major 3 × 3; the first value −1 if there is no orientation.
        orientation_covariance: [f64; 9],
        /// Turn rates, rad/s.
        angular_velocity: Vector3,
        /// Row-major 3 × 3; the first value −1 if there are no turn rates.
        angular_velocity_covariance: [f64; 9],
        /// Accelerations, m/s².
        linear_acceleration: Vector3,
        /// Row-major 3 × 3; the first value −1 if there are no accelerations.
        linear_acceleration_covariance: [f64; 9],
    }
}

message! {
    /// How good a satellite fix is.
    #[derive(Copy, Eq)]
    sensor_msgs::NavSatStatus {
        /// The kind of fix.
        status: i8 = -2,
        /// The satellite systems used, one bit each.
        service: u16,
    }
    const {
        /// Not known yet.
        STATUS_UNKNOWN: i8 = -2,
        /// No fix.
        STATUS_NO_FIX: i8 = -1,
        /// A plain fix.
        STATUS_FIX: i8 = 0,
        /// With satellite-based augmentation.
        STATUS_SBAS_FIX: i8 = 1,
        /// With ground-based augmentation.
        STATUS_GBAS_FIX: i8 = 2,
        /// Systems not known.
        SERVICE_UNKNOWN: u16 = 0,
        /// GPS.
        SERVICE_GPS: u16 = 1,
        /// GLONASS.
        SERVICE_GLONASS: u16 = 2,
        /// BeiDou (the name is the older one of COMPASS).
        SERVICE_COMPASS: u16 = 4,
        /// Galileo.
        SERVICE_GALILEO: u16 = 8,
    }
}

message! {
    /// A satellite fix on the WGS84 ellipsoid.
    sensor_msgs::NavSatFix {
        /// Time and the antenna's frame.
        header: Header,
        /// How good it is.
        status: NavSatStatus,
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// Above the ellipsoid, m.
        altitude: f64,
        /// East, north, up, row-major 3 × 3, m².
        position_covariance: [f64; 9],
        /// Where the covariance comes from.
        position_covariance_type: u8,
    }
    const {
        /// There is none.
        COVARIANCE_TYPE_UNKNOWN: u8 = 0,
        /// Estimated from the dilution of precision.
        COVARIANCE_TYPE_APPROXIMATED: u8 = 1,
        /// Only its diagonal is known.
        COVARIANCE_TYPE_DIAGONAL_KNOWN: u8 = 2,
        /// All of it is known.
        COVARIANCE_TYPE_KNOWN: u8 = 3,
    }
}
