//! LZMA: a range decoder with adaptive probabilities, and the literals and matches that it spells.

use super::Damage;

/// Bits of a probability; it starts at a half.
const BITS: u32 = 11;
const HALF: u16 = 1 << (BITS - 1);
/// How fast probabilities adapt.
const SHIFT: u32 = 5;
/// States of what came before.
const STATES: usize = 12;

/// The range decoder over the bytes of one chunk.
pub(super) struct Range<'a> {
    bytes: &'a [u8],
    next: usize,
    range: u32,
    code: u32,
}

impl<'a> Range<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, Damage> {
        let &[0, a, b, c, d, ..] = bytes else { return Err("a chunk does not begin as it should") };
        Ok(Self { bytes, next: 5, range: u32::MAX, code: u32::from_be_bytes([a, b, c, d]) })
    }

    fn normalize(&mut self) -> Result<(), Damage> {
        if self.range < 1 << 24 {
            let byte = *self.bytes.get(self.next).ok_or("a chunk is too short")?;
            self.next += 1;
            self.range <<= 8;
            self.code = self.code << 8 | u32::from(byte);
        }
        Ok(())
    }

    fn bit(&mut self, probability: &mut u16) -> Result<usize, Damage> {
        self.normalize()?;
        let bound = (self.range >> BITS) * u32::from(*probability);
        if self.code < bound {
            self.range = bound;
            *probability += ((1 << BITS) - *probability) >> SHIFT;
            Ok(0)
        } else {
            self.range -= bound;
            self.code -= bound;
            *probability -= *probability >> SHIFT;
            Ok(1)
        }
    }

    /// Bits of probability one half, highest first.
    fn direct(&mut self, count: u32) -> Result<usize, Damage> {
        let mut value = 0;
        for _ in 0..count {
            self.normalize()?;
            self.range >>= 1;
            let one = self.code >= self.range;
            self.code -= if one { self.range } else { 0 };
            value = value << 1 | usize::from(one);
        }
        Ok(value)
    }

    /// `count` bits, highest first, each with a probability for what came before; `tree` has `2^count` of them.
    fn tree(&mut self, tree: &mut [u16], count: u32) -> Result<usize, Damage> {
        let mut at = 1;
        for _ in 0..count {
            at = at << 1 | self.bit(&mut tree[at])?;
        }
        Ok(at - (1 << count))
    }

    /// The same, lowest bit first.
    fn reverse_tree(&mut self, tree: &mut [u16], count: u32) -> Result<usize, Damage> {
        let (mut at, mut value) = (1, 0);
        for i in 0..count {
            let bit = self.bit(&mut tree[at])?;
            at = at << 1 | bit;
            value |= bit << i;
        }
        Ok(value)
    }
}

/// Probabilities of lengths.
struct Lengths {
    choice: [u16; 2],
    low: [[u16; 8]; 16],
    middle: [[u16; 8]; 16],
    high: [u16; 256],
}

impl Lengths {
    fn new() -> Self {
        Self { choice: [HALF; 2], low: [[HALF; 8]; 16], middle: [[HALF; 8]; 16], high: [HALF; 256] }
    }

    fn decode(&mut self, range: &mut Range<'_>, position: usize) -> Result<usize, Damage> {
        if range.bit(&mut self.choice[0])? == 0 {
            return Ok(2 + range.tree(&mut self.low[position], 3)?);
        }
        if range.bit(&mut self.choice[1])? == 0 {
            return Ok(10 + range.tree(&mut self.middle[position], 3)?);
        }
        Ok(18 + range.tree(&mut self.high, 8)?)
    }
}

/// What is kept from chunk to chunk.
pub(super) struct Lzma {
    /// Bits of the byte before, and of the position, that choose a literal's probabilities; bits of the position elsewhere.
    literal_context: u32,
    literal_position: u32,
    position: u32,
    state: usize,
    /// Distances of the last four matches, less one.
    distances: [usize; 4],
    literal: Vec<u16>,
    is_match: [[u16; 16]; STATES],
    is_repeat: [u16; STATES],
    /// Which of the four distances: not the first, not the second, not the third.
    not_first: [u16; STATES],
    not_second: [u16; STATES],
    not_third: [u16; STATES],
    is_long: [[u16; 16]; STATES],
    slots: [[u16; 64]; 4],
    special: [u16; 128],
    align: [u16; 16],
    lengths: Lengths,
    repeat_lengths: Lengths,
}

impl Lzma {
    /// A fresh decoder for the properties byte.
    pub(super) fn new(properties: u8) -> Result<Self, Damage> {
        let properties = u32::from(properties);
        let (literal_context, literal_position, position) = (properties % 9, properties / 9 % 5, properties / 45);
        if literal_context + literal_position > 4 || position > 4 {
            return Err("a chunk has impossible properties");
        }
        Ok(Self {
            literal_context,
            literal_position,
            position,
            state: 0,
            distances: [0; 4],
            literal: vec![HALF; 0x300 << (literal_context + literal_position)],
            is_match: [[HALF; 16]; STATES],
            is_repeat: [HALF; STATES],
            not_first: [HALF; STATES],
            not_second: [HALF; STATES],
            not_third: [HALF; STATES],
            is_long: [[HALF; 16]; STATES],
            slots: [[HALF; 64]; 4],
            special: [HALF; 128],
            align: [HALF; 16],
            lengths: Lengths::new(),
            repeat_lengths: Lengths::new(),
        })
    }

    /// The same properties from a fresh start.
    pub(super) fn renewed(&self) -> Result<Self, Damage> {
        Self::new(((self.position * 5 + self.literal_position) * 9 + self.literal_context) as u8)
    }

    /// Decodes `count` bytes of a chunk behind what `out` holds from `start` on.
    pub(super) fn decode(
        &mut self,
        range: &mut Range<'_>,
        out: &mut Vec<u8>,
        start: usize,
        count: usize,
    ) -> Result<(), Damage> {
        let end = out.len() + count;
        while out.len() < end {
            let position = (out.len() - start) & ((1 << self.position) - 1);
            if range.bit(&mut self.is_match[self.state][position])? == 0 {
                let byte = self.literal(range, out, start)?;
                out.push(byte);
                continue;
            }
            let length = self.length(range, position)?;
            let distance = self.distances[0] + 1;
            if distance > out.len() - start || length > end - out.len() {
                return Err("a match reaches beyond its data");
            }
            // A match may overlap what it writes.
            for from in out.len() - distance..out.len() - distance + length {
                out.push(out[from]);
            }
        }
        range.normalize()
    }

    fn literal(&mut self, range: &mut Range<'_>, out: &[u8], start: usize) -> Result<u8, Damage> {
        let before = if out.len() > start { usize::from(out[out.len() - 1]) } else { 0 };
        let position = (out.len() - start) & ((1 << self.literal_position) - 1);
        let context = (position << self.literal_context) + (before >> (8 - self.literal_context));
        let tree = &mut self.literal[0x300 * context..][..0x300];
        let mut symbol = 1;
        if self.state >= 7 {
            // Behind a match, the byte that it would have gone on with tells what this one is not.
            let at = (out.len() - start).checked_sub(self.distances[0] + 1).ok_or("a literal lacks its match")?;
            let mut other = usize::from(out[start + at]);
            while symbol < 0x100 {
                let expected = other >> 7 & 1;
                other <<= 1;
                let bit = range.bit(&mut tree[((1 + expected) << 8) + symbol])?;
                symbol = symbol << 1 | bit;
                if bit != expected {
                    break;
                }
            }
        }
        while symbol < 0x100 {
            symbol = symbol << 1 | range.bit(&mut tree[symbol])?;
        }
        self.state = match self.state {
            0..4 => 0,
            4..10 => self.state - 3,
            _ => self.state - 6,
        };
        Ok((symbol & 0xff) as u8)
    }

    /// The length of a match; its distance becomes the first of the four.
    fn length(&mut self, range: &mut Range<'_>, position: usize) -> Result<usize, Damage> {
        let (state, literals) = (self.state, self.state < 7);
        if range.bit(&mut self.is_repeat[state])? == 0 {
            let length = self.lengths.decode(range, position)?;
            let distance = self.distance(range, length)?;
            self.distances.rotate_right(1);
            self.distances[0] = distance;
            self.state = if literals { 7 } else { 10 };
            return Ok(length);
        }
        if range.bit(&mut self.not_first[state])? == 0 {
            if range.bit(&mut self.is_long[state][position])? == 0 {
                self.state = if literals { 9 } else { 11 };
                return Ok(1);
            }
        } else if range.bit(&mut self.not_second[state])? == 0 {
            self.distances[..2].rotate_right(1);
        } else if range.bit(&mut self.not_third[state])? == 0 {
            self.distances[..3].rotate_right(1);
        } else {
            self.distances.rotate_right(1);
        }
        self.state = if literals { 8 } else { 11 };
        self.repeat_lengths.decode(range, position)
    }

    /// A new distance, less one.
    fn distance(&mut self, range: &mut Range<'_>, length: usize) -> Result<usize, Damage> {
        let slot = range.tree(&mut self.slots[(length - 2).min(3)], 6)?;
        if slot < 4 {
            return Ok(slot);
        }
        let bits = (slot >> 1) as u32 - 1;
        let base = (2 | slot & 1) << bits;
        if slot < 14 {
            return Ok(base + range.reverse_tree(&mut self.special[base - slot..], bits)?);
        }
        let high = range.direct(bits - 4)? << 4;
        Ok(base + high + range.reverse_tree(&mut self.align, 4)?)
    }
}
