//! The vocabulary as a binary trie: a token is a walk of yes-or-no decisions.
//!
//! The tokens are sorted by their bytes. A walk begins with all of them and at each decision keeps one
//! contiguous part of the range that is left: whether the token ends here (if one of the range does),
//! or the next bit of its bytes, the highest first. Where all of a range agree, nothing is decided. Tokens
//! with the same bytes are told apart by halving their range.

use crate::tables::tables;

/// What a decision is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bit 0..=7 of a byte, 0 the highest.
    Bit(u8),
    /// 0 if the token ends here.
    End,
    /// Which half of tokens with the same bytes.
    Twin,
}

/// A decision.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// The first token of the upper part of the range.
    pub middle: u32,
    /// Decisions that follow a 0 and a 1, where more than one token is left.
    pub next: [u32; 2],
    /// Bytes of the token that are known.
    pub byte: u16,
    /// What is decided.
    pub kind: Kind,
    /// The bits of the next byte that are known, behind a leading 1.
    pub partial: u8,
}

/// A vocabulary in the order of its bytes.
#[derive(Debug)]
pub struct Walk {
    /// Token by place.
    order: Vec<u32>,
    /// Place by token.
    places: Vec<u32>,
    bytes: Vec<u8>,
    /// Where the bytes of each place begin, and the end.
    begins: Vec<u32>,
    nodes: Vec<Node>,
    escape_shift: u32,
}

/// What the encoder keeps of a distribution: the model's view of each decision on a token's path.
pub trait Opinion {
    /// ln(p / (1 - p)) of a 1 in 1/256 nat, at the decision that splits `low..high` at `middle`.
    fn stretch(&mut self, low: usize, middle: usize, high: usize) -> i16;
    /// The same for the decision whether an escape comes.
    fn escape(&mut self) -> i16;
    /// The place of the most likely token.
    fn likely(&self) -> u32;
}

impl Walk {
    /// `tokens` are the tokens' bytes, none of them empty; `escape_shift` is as in
    /// [`lmz_coder::Distribution::new`]: 0 if every byte is a token, so that nothing needs an escape.
    ///
    /// # Panics
    /// If there is no token, one of them is empty or longer than 65,535 bytes, or all together hold 4 GiB.
    pub fn new<'a>(tokens: impl IntoIterator<Item = &'a [u8]>, escape_shift: u32) -> Self {
        let tokens: Vec<&[u8]> = tokens.into_iter().collect();
        assert!(!tokens.is_empty() && tokens.iter().all(|t| !t.is_empty() && t.len() < 1 << 16));
        let mut order: Vec<u32> = (0..tokens.len() as u32).collect();
        order.sort_by_key(|&token| tokens[token as usize]);
        let mut places = vec![0; order.len()];
        let mut bytes = Vec::new();
        let mut begins = vec![0];
        for (place, &token) in order.iter().enumerate() {
            places[token as usize] = place as u32;
            bytes.extend_from_slice(tokens[token as usize]);
            begins.push(u32::try_from(bytes.len()).expect("a vocabulary of less than 4 GiB"));
        }
        let mut walk = Self {
            order,
            places,
            bytes,
            begins,
            nodes: Vec::new(),
            escape_shift,
        };
        walk.nodes = walk.build();
        walk
    }

    fn build(&self) -> Vec<Node> {
        struct Range {
            low: usize,
            high: usize,
            byte: usize,
            bit: u8,
            partial: u8,
            /// Whether it was decided that the token goes on.
            goes_on: bool,
            /// The decision and the answer that lead here.
            from: Option<(usize, usize)>,
        }
        let mut nodes: Vec<Node> = Vec::with_capacity(self.len());
        let mut ranges = vec![Range {
            low: 0,
            high: self.len(),
            byte: 0,
            bit: 0,
            partial: 1,
            goes_on: true,
            from: None,
        }];
        while let Some(mut range) = ranges.pop() {
            let (kind, middle) = loop {
                if range.high - range.low < 2 {
                    break (Kind::Twin, range.high);
                }
                if !range.goes_on {
                    let of_range = range.low..range.high;
                    let ended = of_range
                        .take_while(|&p| self.bytes(p).len() == range.byte)
                        .count();
                    range.goes_on = true;
                    if range.low + ended == range.high {
                        break (Kind::Twin, range.low + ended / 2);
                    } else if ended > 0 {
                        break (Kind::End, range.low + ended);
                    }
                }
                let has = |place: usize| self.bytes(place)[range.byte] >> (7 - range.bit) & 1 == 1;
                let middle = range.low + partition(range.low, range.high, &has);
                if range.low < middle && middle < range.high {
                    break (Kind::Bit(range.bit), middle);
                }
                range.follow(middle == range.low);
            };
            if middle == range.high {
                continue;
            }
            let number = nodes.len();
            if let Some((node, bit)) = range.from {
                nodes[node].next[bit] = number as u32;
            }
            nodes.push(Node {
                middle: middle as u32,
                next: [0; 2],
                byte: range.byte as u16,
                kind,
                partial: range.partial,
            });
            for bit in [true, false] {
                let mut part = Range {
                    low: if bit { middle } else { range.low },
                    high: if bit { range.high } else { middle },
                    from: Some((number, usize::from(bit))),
                    ..range
                };
                match kind {
                    Kind::Bit(_) => part.follow(bit),
                    Kind::End => part.goes_on = bit,
                    Kind::Twin => part.goes_on = false,
                }
                ranges.push(part);
            }
        }
        impl Range {
            fn follow(&mut self, bit: bool) {
                if self.bit == 7 {
                    (self.byte, self.bit, self.partial, self.goes_on) =
                        (self.byte + 1, 0, 1, false);
                } else {
                    self.bit += 1;
                    self.partial = self.partial << 1 | u8::from(bit);
                }
            }
        }
        nodes
    }

    /// Number of tokens.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// The token at a place.
    pub fn token(&self, place: usize) -> usize {
        self.order[place] as usize
    }

    /// The place of a token.
    pub fn place(&self, token: usize) -> usize {
        self.places[token] as usize
    }

    /// The bytes of the token at a place.
    #[inline]
    pub fn bytes(&self, place: usize) -> &[u8] {
        &self.bytes[self.begins[place] as usize..self.begins[place + 1] as usize]
    }

    /// The decisions; a walk begins at the first.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Whether bytes may come that no token spells.
    pub fn has_escape(&self) -> bool {
        self.escape_shift > 0
    }

    /// The sums of weights before each place, and of all; `weights` are by token, and 1 is added to each.
    ///
    /// # Panics
    /// If there are not as many weights as tokens.
    pub fn sums<'a>(&self, weights: &[u32], sums: &'a mut Vec<u64>) -> Sums<'a> {
        assert_eq!(weights.len(), self.len());
        sums.clear();
        sums.reserve(self.len() + 1);
        let (mut sum, mut likely, mut most) = (0u64, 0, 0);
        sums.push(0);
        for (place, &token) in self.order.iter().enumerate() {
            let weight = weights[token as usize];
            if weight > most {
                (likely, most) = (place as u32, weight);
            }
            sum += u64::from(weight) + 1;
            sums.push(sum);
        }
        Sums {
            sums,
            likely,
            escape_shift: self.escape_shift,
        }
    }

    /// Appends the model's view of every decision on the path of a place (`None`: the escape) to `views`, and
    /// returns the most likely token's place.
    pub fn reduce(&self, sums: &mut Sums<'_>, place: Option<usize>, views: &mut Vec<i16>) -> u32 {
        if self.has_escape() {
            views.push(sums.escape());
        }
        if let Some(place) = place {
            let (mut low, mut high, mut at) = (0, self.len(), 0);
            while high - low > 1 {
                let node = &self.nodes[at];
                let middle = node.middle as usize;
                views.push(sums.stretch(low, middle, high));
                let bit = place >= middle;
                (low, high) = if bit { (middle, high) } else { (low, middle) };
                at = node.next[usize::from(bit)] as usize;
            }
        }
        sums.likely
    }
}

/// The first of a sorted range for which `has` is true, counted from `low`.
fn partition(low: usize, high: usize, has: &dyn Fn(usize) -> bool) -> usize {
    let (mut a, mut b) = (low, high);
    while a < b {
        let m = (a + b) / 2;
        if has(m) {
            b = m;
        } else {
            a = m + 1;
        }
    }
    a - low
}

/// A distribution as sums of weights.
#[derive(Debug)]
pub struct Sums<'a> {
    sums: &'a [u64],
    likely: u32,
    escape_shift: u32,
}

impl Opinion for Sums<'_> {
    #[inline]
    fn stretch(&mut self, low: usize, middle: usize, high: usize) -> i16 {
        let (a, b, c) = (self.sums[low], self.sums[middle], self.sums[high]);
        tables().ratio(b - a, c - b)
    }

    fn escape(&mut self) -> i16 {
        let all = *self.sums.last().expect("there is a first");
        tables().ratio(all, (all >> self.escape_shift) + 1)
    }

    fn likely(&self) -> u32 {
        self.likely
    }
}

/// The views that [`Walk::reduce`] gave, read one after the other.
#[derive(Debug)]
pub struct Views<'a> {
    views: std::slice::Iter<'a, i16>,
    likely: u32,
}

impl<'a> Views<'a> {
    /// The views of one token.
    pub fn new(views: &'a [i16], likely: u32) -> Self {
        Self {
            views: views.iter(),
            likely,
        }
    }

    /// How many are left.
    pub fn left(&self) -> usize {
        self.views.len()
    }
}

impl Opinion for Views<'_> {
    #[inline]
    fn stretch(&mut self, _low: usize, _middle: usize, _high: usize) -> i16 {
        self.views.next().copied().unwrap_or(0)
    }

    fn escape(&mut self) -> i16 {
        self.views.next().copied().unwrap_or(0)
    }

    fn likely(&self) -> u32 {
        self.likely
    }
}
