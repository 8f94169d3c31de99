//! Third-party suites run against the core.
