//! `tests/vectors/errors.json` is the contract of error codes that every language checks itself
//! against. A new kind is added there by hand, in the same commit.

use rolesanywhere_core::ErrorKind;

#[test]
fn the_error_codes_are_those_of_the_vectors() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/vectors/errors.json");
    let file = std::fs::read_to_string(path).unwrap();
    let contract: Vec<serde_json::Value> = serde_json::from_str(&file).unwrap();
    let expected: Vec<_> = contract
        .iter()
        .map(|entry| {
            (
                entry["code"].as_str().unwrap(),
                entry["retryable"].as_bool().unwrap(),
            )
        })
        .collect();
    let actual: Vec<_> = ErrorKind::ALL
        .iter()
        .map(|kind| (kind.code(), kind.is_retryable()))
        .collect();
    assert_eq!(actual, expected);
}
