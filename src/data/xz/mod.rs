//! Unpacks `.xz`: data sets are published so, and nothing that bures is built of reads it. Blocks of LZMA2 without further filters,
//! which is what `xz` and `tar --xz` write.

mod lzma;

use sha2::{Digest, Sha256};

use self::lzma::{Lzma, Range};

/// What is wrong with a file.
pub(super) type Damage = &'static str;

const CUT: Damage = "the file is cut off";

/// Whether `bytes` start like an xz file.
pub(super) fn is_xz(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xfd7zXZ\0")
}

/// The contents, `most` bytes at most.
pub(super) fn unpack(bytes: &[u8], most: usize) -> Result<Vec<u8>, Damage> {
    let (head, mut rest) = bytes.split_at_checked(12).ok_or(CUT)?;
    if !is_xz(head) || crc32(&head[6..8]) != word(&head[8..])? || head[6] != 0 {
        return Err("the header is damaged");
    }
    let check = Check::of(head[7])?;
    let mut out = Vec::new();
    while *rest.first().ok_or(CUT)? != 0 {
        let start = out.len();
        let mut at = block_header(rest)?;
        at += blocks(&rest[at..], &mut out, most)?;
        let padded = at.next_multiple_of(4);
        let sum = rest.get(padded..padded + check.bytes()).ok_or(CUT)?;
        if !check.holds(&out[start..], sum) {
            return Err("the check sum is not that of the contents");
        }
        rest = &rest[padded + check.bytes()..];
    }
    Ok(out)
}

/// Length of the header that `block` begins with.
fn block_header(block: &[u8]) -> Result<usize, Damage> {
    let length = (usize::from(block[0]) + 1) * 4;
    let header = block.get(..length).ok_or(CUT)?;
    let (fields, sum) = header.split_at(length - 4);
    if crc32(fields) != word(sum)? {
        return Err("a block's header is damaged");
    }
    let flags = fields[1];
    let mut at = 2;
    // The sizes packed and unpacked, where they are given; they are found out anyway.
    for _ in 0..(flags >> 6 & 1) + (flags >> 7) {
        while *fields.get(at).ok_or(CUT)? & 0x80 != 0 {
            at += 1;
        }
        at += 1;
    }
    // One filter, LZMA2, whose single property is the size of a dictionary: here all that was unpacked.
    if flags & 3 != 0 || fields.get(at..at + 2) != Some(&[0x21, 1]) {
        return Err("the file uses filters that are not supported; pack it again by xz without options");
    }
    Ok(length)
}

/// Unpacks the chunks of LZMA2 that `bytes` begins with, and returns their length.
fn blocks(bytes: &[u8], out: &mut Vec<u8>, most: usize) -> Result<usize, Damage> {
    let (mut at, mut start, mut lzma) = (0, out.len(), None::<Lzma>);
    let short = |at: usize| -> Result<usize, Damage> {
        let &[a, b] = bytes.get(at..at + 2).ok_or(CUT)? else { return Err(CUT) };
        Ok(usize::from(u16::from_be_bytes([a, b])) + 1)
    };
    loop {
        let control = *bytes.get(at).ok_or(CUT)?;
        if control == 0 {
            return Ok(at + 1);
        }
        if control == 1 || control >= 0xe0 {
            start = out.len();
        }
        if control < 0x80 {
            if control > 2 {
                return Err("a chunk is of an unknown kind");
            }
            let size = short(at + 1)?;
            out.extend(bytes.get(at + 3..at + 3 + size).ok_or(CUT)?);
            at += 3 + size;
        } else {
            let size = (usize::from(control & 0x1f) << 16) + short(at + 1)?;
            let packed = short(at + 3)?;
            at += 5;
            match (control >> 5 & 3, &lzma) {
                (2 | 3, _) => {
                    lzma = Some(Lzma::new(*bytes.get(at).ok_or(CUT)?)?);
                    at += 1;
                }
                (1, Some(old)) => lzma = Some(old.renewed()?),
                _ => {}
            }
            let lzma = lzma.as_mut().ok_or("a chunk lacks its properties")?;
            let mut range = Range::new(bytes.get(at..at + packed).ok_or(CUT)?)?;
            if out.len() + size > most {
                return Err("it is larger than any data set when unpacked");
            }
            lzma.decode(&mut range, out, start, size)?;
            at += packed;
        }
        if out.len() > most {
            return Err("it is larger than any data set when unpacked");
        }
    }
}

/// How contents are checked.
enum Check {
    None,
    Crc32,
    Crc64,
    Sha256,
}

impl Check {
    fn of(number: u8) -> Result<Self, Damage> {
        match number {
            0 => Ok(Self::None),
            1 => Ok(Self::Crc32),
            4 => Ok(Self::Crc64),
            10 => Ok(Self::Sha256),
            _ => Err("the file's check sum is of an unknown kind"),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Crc32 => 4,
            Self::Crc64 => 8,
            Self::Sha256 => 32,
        }
    }

    fn holds(&self, contents: &[u8], sum: &[u8]) -> bool {
        match self {
            Self::None => true,
            Self::Crc32 => crc32(contents).to_le_bytes() == sum,
            Self::Crc64 => crc64(contents).to_le_bytes() == sum,
            Self::Sha256 => Sha256::digest(contents).as_slice() == sum,
        }
    }
}

fn word(bytes: &[u8]) -> Result<u32, Damage> {
    match bytes {
        &[a, b, c, d] => Ok(u32::from_le_bytes([a, b, c, d])),
        _ => Err(CUT),
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The sum of ECMA-182.
fn crc64(bytes: &[u8]) -> u64 {
    const POLYNOMIAL: u64 = 0xc96c_5795_d787_0f42;
    let step = |crc: u64| crc >> 1 ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 };
    let table: [u64; 256] = std::array::from_fn(|byte| (0..8).fold(byte as u64, |crc, _| step(crc)));
    !bytes.iter().fold(u64::MAX, |crc, &byte| table[usize::from(crc as u8 ^ byte)] ^ crc >> 8)
}
