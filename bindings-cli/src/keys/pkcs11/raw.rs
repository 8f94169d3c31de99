//! The one call of PKCS#11 that cryptoki does not offer by itself: `C_Sign` for a signature that
//! has been begun, which a key that wants a login in between needs.

use std::path::Path;

use cryptoki::{error::Rv, session::Session};
use cryptoki_sys::{CK_FUNCTION_LIST, CKR_OK};
use rolesanywhere_core::{Error, ErrorKind, Result};

/// The longest signature: RSA-8192's.
const MAX_LENGTH: usize = 1024;

/// Ends the signature that was begun in the session, in one call.
///
/// # Errors
/// [`ErrorKind::SigningFailed`] with what the module said. Through p11-kit's proxy, which gives
/// each caller sessions of its own, it says that it does not know the session.
#[allow(
    unsafe_code,
    reason = "cryptoki 0.12 joins C_SignInit and C_Sign in one function, with no room for the login between"
)]
pub(super) fn sign(module: &Path, session: &Session, data: &[u8]) -> Result<Vec<u8>> {
    let failed = |what: &dyn std::fmt::Display| {
        Error::new(
            ErrorKind::SigningFailed,
            format!(
                "the PKCS#11 module does not sign after the second login ({what}): name the token's own \
                 module with --pkcs11-lib, not a proxy"
            ),
        )
    };
    let mut signature = vec![0; MAX_LENGTH];
    let mut length = MAX_LENGTH as cryptoki_sys::CK_ULONG;
    // SAFETY: the module is loaded and initialised already, and stays so while `session` lives;
    // loading it once more runs no code and counts a reference. The list of functions is the
    // module's own and constant, as PKCS#11 2.40, 4.5 wants it. The pointers are to buffers that
    // live through the call, with their own lengths; the module writes `length` bytes at most.
    let code = unsafe {
        let library = cryptoki_sys::Pkcs11::new(module).map_err(|error| failed(&error))?;
        let mut list: *mut CK_FUNCTION_LIST = std::ptr::null_mut();
        let code = library.C_GetFunctionList(&raw mut list);
        let function = match list.as_ref() {
            Some(list) if code == CKR_OK => list.C_Sign,
            _ => None,
        };
        let function = function.ok_or_else(|| failed(&"it has no C_Sign"))?;
        function(
            session.handle(),
            data.as_ptr().cast_mut(),
            data.len() as cryptoki_sys::CK_ULONG,
            signature.as_mut_ptr(),
            &raw mut length,
        )
    };
    match Rv::from(code) {
        Rv::Ok => {
            signature.truncate(usize::try_from(length).unwrap_or_default());
            Ok(signature)
        }
        Rv::Error(error) => Err(failed(&format_args!("{error:?}"))),
    }
}
