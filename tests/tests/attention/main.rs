//! Operations that look back.

mod grouped_query_attention;
mod rope;
