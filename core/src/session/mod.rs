//! `CreateSession`: from parsed parameters to a signed HTTP request, and from the answer to a session.

mod response;
mod service_error;

pub use response::{HttpResponse, MAX_RESPONSE_LENGTH, Session};
pub use service_error::ServiceError;
