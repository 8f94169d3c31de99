//! Wycheproof, and what no suite has.
