//! Tables of small keys. Their hash is fast and the same in every process; nothing goes through them in their order.

pub type FxHashMap<K, V> = std::collections::HashMap<K, V, rustc_hash::FxBuildHasher>;
