//! Matrix products on slices.

use gemm::{Parallelism, gemm};

/// A matrix that lies in a slice.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    /// The slice, from the first element on.
    pub data: &'a [f32],
    /// Rows and columns.
    pub shape: [usize; 2],
    /// From one row to the next, from one column to the next.
    pub strides: [usize; 2],
}

impl<'a> Matrix<'a> {
    /// Row after row without gaps.
    pub fn rows(data: &'a [f32], shape: [usize; 2]) -> Self {
        Self { data, shape, strides: [shape[1], 1] }
    }

    /// Rows for columns.
    pub fn transposed(self) -> Self {
        let Self { data, shape: [rows, columns], strides: [down, right] } = self;
        Self { data, shape: [columns, rows], strides: [right, down] }
    }

    fn end(&self) -> usize {
        self.shape.iter().zip(self.strides).map(|(count, stride)| count.saturating_sub(1) * stride).sum::<usize>() + 1
    }
}

/// `to = a · b`, or `to += a · b`; rows of `to` are `stride` apart.
pub fn product(to: &mut [f32], stride: usize, a: Matrix<'_>, b: Matrix<'_>, adds: bool) {
    let ([m, k], [inner, n]) = (a.shape, b.shape);
    assert_eq!(k, inner, "columns of the left and rows of the right");
    if m == 0 || n == 0 {
        return;
    }
    assert!(n <= stride || m == 1, "rows of a product overlap");
    assert!((m - 1) * stride + n <= to.len(), "a product ends outside its slice");
    assert!(a.end() <= a.data.len() && b.end() <= b.data.len(), "a matrix ends outside its slice");
    let [[a_down, a_right], [b_down, b_right]] = [a, b].map(|matrix| matrix.strides.map(|stride| stride as isize));
    // SAFETY: the assertions keep every element of the three matrices within its slice, and the rows of `to`, which is
    // borrowed alone, apart from each other.
    #[allow(unsafe_code)]
    unsafe {
        gemm(
            m,
            n,
            k,
            to.as_mut_ptr(),
            1,
            stride as isize,
            adds,
            a.data.as_ptr(),
            a_right,
            a_down,
            b.data.as_ptr(),
            b_right,
            b_down,
            1.0,
            1.0,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}
