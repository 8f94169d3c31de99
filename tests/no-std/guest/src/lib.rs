//! The core behind three functions that any wasm host can call.

use rolesanywhere_core::{
    CertificateChain, CreateSession, HttpResponse, PrivateKey, Session, UnixTime,
    signers::rustcrypto::RustCryptoSigner,
};

/// Room for `length` bytes, which the host fills.
#[unsafe(no_mangle)]
pub extern "C" fn allocate(length: usize) -> *mut u8 {
    Box::leak(vec![0u8; length].into_boxed_slice()).as_mut_ptr()
}

/// Signs a request with a certificate and key in one PEM text; the answer is the address and length
/// of the `Authorization` header, or of an error.
#[unsafe(no_mangle)]
pub extern "C" fn sign(pem: *const u8, length: usize, now: i64) -> u64 {
    // The host passes what `allocate` gave it.
    let pem = unsafe { std::slice::from_raw_parts(pem, length) };
    answer(signed(pem, UnixTime::from_seconds(now)).unwrap_or_else(|error| format!("error: {error}")))
}

/// Reads an answer of the service; the answer is the `credential_process` JSON, or an error.
#[unsafe(no_mangle)]
pub extern "C" fn read(body: *const u8, length: usize, status: u32) -> u64 {
    // The host passes what `allocate` gave it.
    let body = unsafe { std::slice::from_raw_parts(body, length) };
    let status = u16::try_from(status).unwrap_or_default();
    let session = Session::from_response(&HttpResponse::new(status, Vec::new(), body.to_vec()));
    answer(match session {
        Ok(session) => session.credentials().to_credential_process_json().expose().clone(),
        Err(error) => format!("error: {error}"),
    })
}

fn signed(pem: &[u8], now: UnixTime) -> rolesanywhere_core::Result<String> {
    let chain = CertificateChain::from_pem(pem)?;
    let key = PrivateKey::from_pem(pem, None)?;
    key.check_matches(chain.end_entity().public_key()?)?;
    let call = CreateSession::new(
        "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/a",
        "arn:aws:rolesanywhere:eu-west-1:123456789012:profile/p",
        "arn:aws:iam::123456789012:role/r",
    )?;
    let request = call.prepare(&chain, now)?.sign(&RustCryptoSigner::new(&key)?)?;
    let header = request.headers.into_iter().find(|(name, _)| name == "authorization");
    Ok(header.map(|(_, value)| value).unwrap_or_default())
}

fn answer(text: String) -> u64 {
    let bytes = Box::leak(text.into_bytes().into_boxed_slice());
    ((bytes.as_ptr() as u64) << 32) | bytes.len() as u64
}
