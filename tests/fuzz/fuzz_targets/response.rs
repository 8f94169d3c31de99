//! Any answer to CreateSession: the first byte chooses the status, the rest is the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rolesanywhere_core::{HttpResponse, Session};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else {
        return;
    };
    let status = [200, 201, 400, 403, 404, 429, 500, 503][usize::from(first % 8)];
    let headers = vec![("Date".into(), "Sat, 21 Nov 2026 23:30:00 GMT".into())];
    match Session::from_response(&HttpResponse::new(status, headers, body.to_vec())) {
        Ok(session) => assert!(!session.credentials().access_key_id().is_empty()),
        Err(error) => assert!(!error.message().is_empty()),
    }
});
