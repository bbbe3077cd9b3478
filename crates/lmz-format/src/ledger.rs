//! Every byte of a container, by what it is for.

use std::ops::AddAssign;

/// The sizes in bytes of a member's parts; their sum is the member's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContainerBytes {
    /// The header, magic and crc included.
    pub header: u64,
    /// The segment records without their coded bytes.
    pub records: u64,
    /// The coded bytes of all segments.
    pub coded: u64,
    /// The index: one varint per segment in the footer.
    pub index: u64,
    /// The end byte and the footer without the index.
    pub footer: u64,
}

impl ContainerBytes {
    /// The size of the member.
    pub fn total(&self) -> u64 {
        self.header + self.records + self.coded + self.index + self.footer
    }

    /// What a member costs whatever it holds: header, end byte and footer without the index.
    pub fn fixed(&self) -> u64 {
        self.header + self.footer
    }

    /// What its segments cost beside their coded bytes: records and index.
    pub fn per_segment(&self) -> u64 {
        self.records + self.index
    }
}

impl AddAssign for ContainerBytes {
    fn add_assign(&mut self, other: Self) {
        self.header += other.header;
        self.records += other.records;
        self.coded += other.coded;
        self.index += other.index;
        self.footer += other.footer;
    }
}
