//! The emulator, driven by a client that shares no code with it: requests are built of plain strings,
//! certificates and signatures come from the OpenSSL command line (ML-DSA, which OpenSSL 3.0 lacks,
//! from the `ml-dsa` crate and DER written by hand).

mod client;
mod pki;
mod served;
