//! The emulator, driven by a client that shares no code with it: requests are built of plain strings,
//! certificates and signatures come from the OpenSSL command line (ML-DSA, which OpenSSL 3.0 lacks,
//! from the `ml-dsa` crate and DER written by hand).

// `cfg(test)` lets the helpers panic as tests do (clippy.toml).
#[cfg(test)]
mod accepted;
#[cfg(test)]
mod agreement;
#[cfg(test)]
mod client;
#[cfg(test)]
mod configured;
#[cfg(test)]
mod console;
#[cfg(test)]
mod core_client;
#[cfg(test)]
mod handmade;
#[cfg(test)]
mod lab;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod pki;
#[cfg(test)]
mod pkits;
#[cfg(test)]
mod presigned;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod revocation;
#[cfg(test)]
mod served;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod sts;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod trust_policies;
