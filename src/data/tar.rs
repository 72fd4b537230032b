//! Files in a tar archive that has been read into memory.

use std::path::Path;

use crate::{Error, Result};

/// Archives are made of blocks of so many bytes.
const BLOCK: usize = 512;

/// The files of `archive` by their names, in its order; other entries (folders, links) are passed over.
///
/// # Errors
/// [`Error::Format`] about `path` where it is no tar archive or is damaged.
pub(super) fn files<'a>(archive: &'a [u8], path: &Path) -> Result<Vec<(String, &'a [u8])>> {
    let bad = |what: &str| Error::format(path, format!("no whole tar archive: {what}"));
    let (mut files, mut rest, mut long_name) = (Vec::new(), archive, None::<String>);
    while let Some((header, behind)) = rest.split_at_checked(BLOCK) {
        if header.iter().all(|&byte| byte == 0) {
            return Ok(files);
        }
        let stored = octal(&header[148..156]);
        let sum =
            header.iter().enumerate().map(|(i, &b)| u64::from(if (148..156).contains(&i) { b' ' } else { b })).sum();
        if stored != Some(sum) {
            return Err(bad("the check sum of a header is wrong"));
        }
        let size = octal(&header[124..136]).and_then(|size| usize::try_from(size).ok());
        let size = size.ok_or_else(|| bad("the size of an entry cannot be read"))?;
        let contents = behind.get(..size).ok_or_else(|| bad("it is cut off"))?;
        match header[156] {
            // A name too long for the header stands in an entry of its own: GNU's form, and POSIX's among other properties.
            b'L' => long_name = Some(text(contents)),
            b'x' => long_name = property(contents, "path").or(long_name),
            b'0' | 0 => {
                let prefix = if header[257..262] == *b"ustar" && header[263] != b' ' {
                    text(&header[345..500])
                } else {
                    String::new()
                };
                let name = text(&header[..100]);
                let short = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
                files.push((long_name.take().unwrap_or(short), contents));
            }
            b'g' => {}
            _ => long_name = None,
        }
        rest = behind.get(size.next_multiple_of(BLOCK)..).unwrap_or(&[]);
    }
    if files.is_empty() { Err(bad("it holds no files")) } else { Ok(files) }
}

/// A number in octal digits, between blanks and zeros.
fn octal(field: &[u8]) -> Option<u64> {
    let digits: Vec<u8> = field.iter().copied().skip_while(|&b| b == b' ').take_while(u8::is_ascii_digit).collect();
    u64::from_str_radix(std::str::from_utf8(&digits).ok()?, 8).ok()
}

/// Text up to the first zero.
fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

/// The value of `key` in lines `length key=value`.
fn property(contents: &[u8], key: &str) -> Option<String> {
    text(contents).lines().find_map(|line| {
        let (known, value) = line.split_once(' ')?.1.split_once('=')?;
        (known == key).then(|| value.to_owned())
    })
}
