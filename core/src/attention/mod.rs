//! Operations that look back at every token, or at a window of them.
//!
//! [`rope`] tells queries and keys where they stand, [`kv_cache`] keeps keys and values,
//! [`grouped_query_attention`] reads them.

pub mod grouped_query_attention;
pub mod kv_cache;
pub mod rope;
