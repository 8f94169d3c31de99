//! Vectors of RFC 6979.
