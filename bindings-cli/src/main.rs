//! AWS credentials from an X.509 certificate: a drop-in for aws_signing_helper.
fn main() {}
