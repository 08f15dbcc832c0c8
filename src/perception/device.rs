//! What networks run on: the processor, or a GPU by way of a library that this was built with.

use anyhow::bail;

/// What computes a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Processor {
    /// The processor, with kernels of its own.
    Cpu,
    /// A GPU through burn-cuda.
    Cuda,
    /// The processor through LibTorch.
    Torch,
    /// A GPU through LibTorch.
    TorchCuda,
}

impl Processor {
    /// Whether this was built with what it needs.
    ///
    /// # Errors
    /// Which feature is missing.
    pub fn check(self) -> anyhow::Result<()> {
        let feature = match self {
            Self::Cuda if cfg!(not(feature = "cuda")) => "cuda",
            Self::Torch | Self::TorchCuda if cfg!(not(feature = "torch")) => "torch",
            _ => return Ok(()),
        };
        bail!("this program was built without the feature `{feature}`, which that device needs")
    }

    /// Whether it is a GPU.
    pub fn is_gpu(self) -> bool {
        matches!(self, Self::Cuda | Self::TorchCuda)
    }

    /// LibTorch's device, ready to be computed on.
    #[cfg(feature = "torch")]
    pub fn torch(self) -> burn::backend::libtorch::LibTorchDevice {
        use burn::backend::libtorch::LibTorchDevice;
        tandem_perception::kernel::torch::try_convolutions();
        if self.is_gpu() { LibTorchDevice::Cuda(0) } else { LibTorchDevice::Cpu }
    }
}
