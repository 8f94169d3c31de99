//! What holds for every input.

use proptest::prelude::*;

use super::*;

/// Paths of segments in which something happens, and bytes in between.
fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec("(|\\.|\\.\\.|a|\\.a|%2[eEfF]|[!-~]{0,4})", 0..8)
        .prop_map(|segments| format!("/{}", segments.join("/")))
}

proptest! {
    #[test]
    fn canonicalizing_never_panics(
        method in ".{0,8}", path in ".{0,40}", query in ".{0,40}",
        name in ".{0,8}", value in ".{0,40}", normalize_path: bool, double_encode_path: bool,
    ) {
        let headers = [("host", "h"), (name.as_str(), value.as_str())];
        let request = SigningRequest {
            method: &method, ..request(&path, &query, &headers)
        };
        let settings = Settings { normalize_path, double_encode_path };
        let _ = CanonicalRequest::new(&request, settings);
    }

    /// Nothing in a request can add a line: there are as many as there are headers.
    #[test]
    fn lines_are_those_of_the_format(
        path in path(), query in "[!-~]{0,40}", values in proptest::collection::vec(".{0,20}", 0..5),
    ) {
        let mut headers = alloc::vec![("host".to_string(), "h".to_string())];
        for (index, value) in values.into_iter().enumerate() {
            headers.push((format!("x-{index}"), value));
        }
        let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        if let Ok(canonical) = CanonicalRequest::new(&request(&path, &query, &headers), Settings::default()) {
            prop_assert_eq!(canonical.as_str().split('\n').count(), headers.len() + 6);
            prop_assert!(canonical.as_str().is_ascii());
        }
    }

    #[test]
    fn normalizing_a_path_twice_changes_nothing_more(path in path()) {
        let once = uri::normalize_path(&path).into_owned();
        prop_assert_eq!(&*uri::normalize_path(&once), &once);
        prop_assert!(once.starts_with('/'));
        prop_assert!(!once.contains("//") && !once.contains("/./") && !once.contains("/../"));
    }

    /// A canonical query, and a path encoded once, are their own canonical forms.
    #[test]
    fn canonical_forms_are_canonical(path in path(), query in "[a-c%+=&~/é0-9]{0,30}") {
        let host = [("host", "h")];
        let first = CanonicalRequest::new(&request(&path, &query, &host), SINGLE);
        if let Ok(first) = first {
            let again = request(line(&first, 1), line(&first, 2), &host);
            prop_assert_eq!(&CanonicalRequest::new(&again, SINGLE).unwrap(), &first);
        }
    }

    #[test]
    fn the_order_of_headers_and_parameters_does_not_matter(
        pairs in proptest::collection::btree_map("[a-z]{1,6}", "[a-z ]{0,8}", 0..6), seed: u64,
    ) {
        let mut pairs: Vec<_> = pairs.into_iter().filter(|(name, _)| name != "host").collect();
        pairs.push(("host".to_string(), "h".to_string()));
        let sign = |pairs: &[(String, String)]| {
            let headers: Vec<_> = pairs.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let query: Vec<_> = pairs
                .iter()
                .map(|(name, value)| format!("{name}={}", encoding::uri_encode(value)))
                .collect();
            CanonicalRequest::new(&request("/", &query.join("&"), &headers), SINGLE).unwrap()
        };
        let sorted = sign(&pairs);
        let length = pairs.len() as u64;
        pairs.rotate_left((seed % length) as usize);
        prop_assert_eq!(sign(&pairs), sorted);
    }

    #[test]
    fn reading_an_authorization_header_never_panics(text in ".{0,200}") {
        let _ = Authorization::parse(&text);
        let _ = CredentialScope::parse(&text);
    }

    #[test]
    fn what_is_read_is_written_the_same(
        credential in "[A-Z0-9_]{1,40}", region in "[a-z0-9-]{1,20}",
        headers in proptest::collection::btree_set("[a-z0-9-]{1,12}", 1..8),
        signature in proptest::collection::vec(any::<u8>(), 1..80),
    ) {
        let scope = CredentialScope::new(at("20240706T000000Z"), &region, "sts").unwrap();
        let names: Vec<_> = headers.into_iter().collect();
        let written =
            Authorization::new(HMAC_SHA256, &credential, &scope, &names.join(";"), &signature).unwrap();
        let read = Authorization::parse(&written.to_string()).unwrap();
        prop_assert_eq!(&read, &written);
        prop_assert_eq!(read.signature(), signature);
    }
}
