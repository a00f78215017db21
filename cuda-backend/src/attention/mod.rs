//! Attention: keys and values are put into the cache, rotated, then queries read them there.
//!
//! [`rope`] rotates and stores in one pass. Where a later token of a call would take the place of a key that an earlier
//! one still sees, in a ring that is full, keys and values of the call wait beside its queries until [`kv_cache`] stores
//! them. [`prefill`] answers many queries of a sequence, [`decode`] few of them to parts of the keys; what neither can,
//! in other sizes or in f32, the plain kernel does.

mod call;
mod decode;
mod grouped_query_attention;
mod kv_cache;
mod prefill;
mod rope;
