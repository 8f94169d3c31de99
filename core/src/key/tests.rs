//! Keys, read and refused.
