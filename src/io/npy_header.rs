//! The header of a `.npy` file: a Python dictionary literal of three known keys.

use std::path::Path;

use crate::{Error, Result};

/// What the header says, not yet compared with the file's size.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Header {
    /// numpy's type string, such as `<f4`.
    pub(super) descr: String,
    pub(super) fortran_order: bool,
    pub(super) shape: Vec<usize>,
    /// Bytes before the data.
    pub(super) offset: usize,
}

/// numpy itself refuses more dimensions than this.
const MAX_DIMENSIONS: usize = 64;

/// Reads the magic, the version and the dictionary at the start of `bytes`.
pub(super) fn parse(bytes: &[u8], path: &Path) -> Result<Header> {
    let bad = |what: &str| Error::format(path, format!("not a readable .npy file: {what}"));
    let rest = bytes.strip_prefix(b"\x93NUMPY").ok_or_else(|| bad("it does not start with \\x93NUMPY"))?;
    let (length, start) = match rest {
        [1, 0, a, b, ..] => (usize::from(u16::from_le_bytes([*a, *b])), 10),
        [2 | 3, 0, a, b, c, d, ..] => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]);
            (usize::try_from(length).map_err(|_| bad("its header is too long"))?, 12)
        }
        [major, minor, _, _, ..] => {
            return Err(bad(&format!("version {major}.{minor} is not one of 1.0, 2.0, 3.0")));
        }
        _ => return Err(bad("it ends inside its header")),
    };
    let offset = usize::checked_add(start, length).ok_or_else(|| bad("its header is too long"))?;
    let text = bytes.get(start..offset).ok_or_else(|| bad("its header is longer than the file"))?;
    let (descr, fortran_order, shape) = dictionary(text).map_err(|what| bad(&format!("in its header, {what}")))?;
    Ok(Header { descr, fortran_order, shape, offset })
}

type Fallible<T> = std::result::Result<T, String>;

fn dictionary(text: &[u8]) -> Fallible<(String, bool, Vec<usize>)> {
    let mut cursor = Cursor { rest: text };
    let (mut descr, mut order, mut shape) = (None, None, None);
    cursor.expect(b'{')?;
    while !cursor.eat(b'}') {
        let key = cursor.string()?;
        cursor.expect(b':')?;
        match key.as_str() {
            "descr" => descr = Some(cursor.descr()?),
            "fortran_order" => order = Some(cursor.boolean()?),
            "shape" => shape = Some(cursor.tuple()?),
            _ => return Err(format!("the key {key:?} is not one of descr, fortran_order, shape")),
        }
        if !cursor.eat(b',') {
            cursor.expect(b'}')?;
            break;
        }
    }
    cursor.end()?;
    let missing = |key: &str| format!("the key {key} is missing");
    Ok((
        descr.ok_or_else(|| missing("descr"))?,
        order.ok_or_else(|| missing("fortran_order"))?,
        shape.ok_or_else(|| missing("shape"))?,
    ))
}

struct Cursor<'a> {
    rest: &'a [u8],
}

impl Cursor<'_> {
    fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.skip(1);
        }
        found
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    fn expect(&mut self, wanted: u8) -> Fallible<()> {
        if self.eat(wanted) { Ok(()) } else { Err(format!("{:?} is missing", char::from(wanted))) }
    }

    fn end(&mut self) -> Fallible<()> {
        if self.peek().is_none() { Ok(()) } else { Err("something follows the dictionary".to_owned()) }
    }

    fn string(&mut self) -> Fallible<String> {
        let quote = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => quote,
            _ => return Err("a quoted word is missing".to_owned()),
        };
        self.skip(1);
        let end = self.rest.iter().position(|&b| b == quote).ok_or("a quotation mark is not closed")?;
        let word = self.rest.get(..end).unwrap_or_default();
        let word = String::from_utf8_lossy(word).into_owned();
        self.skip(end + 1);
        Ok(word)
    }

    fn descr(&mut self) -> Fallible<String> {
        if self.peek() == Some(b'[') {
            return Err("the type has named fields; store a plain array of numbers".to_owned());
        }
        self.string()
    }

    fn boolean(&mut self) -> Fallible<bool> {
        self.peek();
        for (word, value) in [(&b"True"[..], true), (b"False", false)] {
            if self.rest.starts_with(word) {
                self.skip(word.len());
                return Ok(value);
            }
        }
        Err("fortran_order is neither True nor False".to_owned())
    }

    fn tuple(&mut self) -> Fallible<Vec<usize>> {
        let mut numbers = Vec::new();
        self.expect(b'(')?;
        while !self.eat(b')') {
            if numbers.len() == MAX_DIMENSIONS {
                return Err(format!("the shape has more than {MAX_DIMENSIONS} dimensions"));
            }
            numbers.push(self.number()?);
            if !self.eat(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(numbers)
    }

    fn number(&mut self) -> Fallible<usize> {
        self.peek();
        let length = self.rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let digits = self.rest.get(..length).unwrap_or_default();
        let value = std::str::from_utf8(digits).ok().and_then(|d| d.parse().ok());
        self.skip(length);
        value.ok_or_else(|| "a dimension of the shape is not a number this machine can count to".to_owned())
    }
}
