//! The bytes of a group's blocks so far, where each lane sees what a decoder knows.

/// A place in the text: between the bytes of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    pub block: u32,
    /// Bytes of the block before it.
    pub offset: u32,
}

#[derive(Debug, Default)]
struct Block {
    bytes: Vec<u8>,
    /// Whether a token begins at a byte.
    begins: Vec<bool>,
}

/// Blocks of finished rounds follow each other; those of the running round do not yet, but for the first,
/// which follows what is finished.
#[derive(Debug, Default)]
pub struct History {
    blocks: Vec<Block>,
    /// Blocks of finished rounds.
    finished: usize,
}

/// Bytes that a match looks ahead.
pub const AHEAD: usize = 32;

/// What followed a place once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ahead {
    pub bytes: [u8; AHEAD],
    /// How many of them are known.
    pub known: usize,
    /// Bit i: a token begins at byte i.
    pub begins: u64,
}

impl History {
    /// Blocks so far.
    pub fn blocks(&self) -> usize {
        self.blocks.len()
    }

    /// Begins a round of `lanes` blocks; those before are finished.
    pub fn begin_round(&mut self, lanes: usize) {
        self.finished = self.blocks.len();
        self.blocks
            .resize_with(self.finished + lanes, Block::default);
    }

    /// The end of a block.
    pub fn end(&self, block: usize) -> Place {
        Place {
            block: block as u32,
            offset: self.blocks[block].bytes.len() as u32,
        }
    }

    /// Appends a byte to a block; `begins` says whether a token begins with it.
    pub fn push(&mut self, block: usize, byte: u8, begins: bool) {
        let block = &mut self.blocks[block];
        block.bytes.push(byte);
        block.begins.push(begins);
    }

    /// The block behind `block`, where its beginning is known to follow.
    fn next(&self, block: usize) -> Option<usize> {
        (block < self.finished && block + 1 < self.blocks.len()).then_some(block + 1)
    }

    /// What follows a place, as far as it is known.
    pub fn ahead(&self, place: Place) -> Ahead {
        let mut ahead = Ahead::default();
        let (mut number, mut offset) = (place.block as usize, place.offset as usize);
        while ahead.known < AHEAD {
            let block = &self.blocks[number];
            let n = (AHEAD - ahead.known).min(block.bytes.len().saturating_sub(offset));
            for i in 0..n {
                let to = ahead.known + i;
                ahead.bytes[to] = block.bytes[offset + i];
                ahead.begins |= u64::from(block.begins[offset + i]) << to;
            }
            ahead.known += n;
            if ahead.known == AHEAD {
                break;
            }
            match self.next(number) {
                Some(next) => (number, offset) = (next, 0),
                None => {
                    // A token is known to begin at the end of what is known.
                    ahead.begins |= 1 << ahead.known;
                    break;
                }
            }
        }
        ahead
    }

    /// The place `bytes` further.
    pub fn advance(&self, place: Place, bytes: usize) -> Place {
        let (mut number, mut offset) = (place.block as usize, place.offset as usize + bytes);
        loop {
            let length = self.blocks[number].bytes.len();
            if offset < length {
                break;
            }
            match self.next(number) {
                Some(next) => (number, offset) = (next, offset - length),
                None => break,
            }
        }
        Place {
            block: number as u32,
            offset: offset as u32,
        }
    }

    fn before(&self, place: Place) -> Option<(u8, Place)> {
        let (mut number, mut offset) = (place.block as usize, place.offset as usize);
        while offset == 0 {
            if number == 0 || number > self.finished {
                return None;
            }
            number -= 1;
            offset = self.blocks[number].bytes.len();
        }
        let place = Place {
            block: number as u32,
            offset: offset as u32 - 1,
        };
        Some((self.blocks[number].bytes[offset - 1], place))
    }

    /// How many bytes before two places are equal, at most `most`.
    pub fn common(&self, mut a: Place, mut b: Place, most: usize) -> usize {
        for n in 0..most {
            match (self.before(a), self.before(b)) {
                (Some((x, before_a)), Some((y, before_b))) if x == y => {
                    (a, b) = (before_a, before_b);
                }
                _ => return n,
            }
        }
        most
    }
}
