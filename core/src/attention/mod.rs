//! Operations that look back at every token, or at a window of them.

pub mod grouped_query_attention;
