//! A file's bytes from front to back: nothing is read, or made room for, that is not there.

/// Where in a file's bytes the reading is.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Bytes that were read.
    at: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    /// The next bytes; why not, if there are not so many.
    pub fn take(&mut self, count: u64) -> Result<&'a [u8], String> {
        let rest = &self.bytes[self.at..];
        let taken = usize::try_from(count).ok().and_then(|count| rest.get(..count));
        let taken = taken.ok_or_else(|| {
            format!("cut off: {count} bytes are to come at byte {}, and {} are left", self.at, rest.len())
        })?;
        self.at += taken.len();
        Ok(taken)
    }

    /// As many bytes as the array has.
    pub fn array<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], String> {
        let taken = self.take(COUNT as u64)?;
        // It is as long as was asked for.
        Ok(*taken.first_chunk().unwrap_or(&[0; COUNT]))
    }

    pub fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    /// A string with its length before it.
    pub fn text(&mut self) -> Result<&'a str, String> {
        let start = self.at;
        let length = self.u64()?;
        let bytes = self.take(length)?;
        str::from_utf8(bytes).map_err(|_| format!("the string at byte {start} is no UTF-8"))
    }

    /// The number of items to come, which is refused if the file has not at least `bytes` for each.
    pub fn count(&mut self, bytes: usize) -> Result<usize, String> {
        let start = self.at;
        let count = self.u64()?;
        let room = (self.bytes.len() - self.at) / bytes;
        let whole = usize::try_from(count).ok().filter(|count| *count <= room);
        whole.ok_or_else(|| format!("cut off: {count} items are to come at byte {start}, and there is room for {room}"))
    }
}
