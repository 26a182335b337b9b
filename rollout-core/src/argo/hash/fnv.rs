use alloc::{format, string::String};

/// Computes 32-bit FNV-1a.
pub(super) fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Encodes the decimal digits in letters that spell no words.
pub(super) fn safe(hash: u32) -> String {
    let letter = |digit: char| match digit {
        '0' => '4',
        '1' => '5',
        '2' => '6',
        '3' => '7',
        '4' => '8',
        '5' => '9',
        '6' => 'b',
        '7' => 'c',
        '8' => 'd',
        _ => 'f',
    };
    format!("{hash}").chars().map(letter).collect()
}
