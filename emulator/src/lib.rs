//! An emulator of AWS IAM Roles Anywhere that verifies what the service verifies.

pub mod policy;
