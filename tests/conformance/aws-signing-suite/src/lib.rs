//! Empty: this package exists to name a dependency whose files are test vectors.
