//! A hash that nodes and releases agree on.

/// Returns a 64-bit hash of these texts that is the same on every node, in every release and on
/// every platform.
///
/// It is fast and not cryptographic: use it for entity tags, not for secrets or signatures.
///
/// ```
/// use doyen_core::stable_hash;
///
/// assert_eq!(stable_hash(["usr_1"]), 0xec9f_0e0c_9b09_4b6b);
/// assert_ne!(stable_hash(["ab", "c"]), stable_hash(["a", "bc"]));
/// ```
pub fn stable_hash<'a>(texts: impl IntoIterator<Item = &'a str>) -> u64 {
    // FNV-1a (draft-eastlake-fnv-33).
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    for text in texts {
        text.bytes().for_each(&mut add);
        // This byte never occurs in UTF-8, so it separates the texts.
        add(0xff);
    }
    // The finalizer of MurmurHash3: without it, sums of hashes of similar texts can be equal.
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}
