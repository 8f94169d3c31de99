//! Nothing: the tests beside this read third-party files with the core.
