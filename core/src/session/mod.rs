//! `CreateSession`: from parsed parameters to a signed HTTP request, and from the answer to a session.

mod create_session;
pub(crate) mod json;
mod parameters;
mod request;
mod response;
mod service_error;

pub use create_session::{
    ArnPlacement, CreateSession, MAX_DURATION_SECONDS, MAX_INSTANCE_PROPERTIES,
    MAX_INSTANCE_PROPERTY_LENGTH, MIN_DURATION_SECONDS,
};
pub use parameters::Parameter;
pub use request::{HttpRequest, UnsignedRequest};
pub use response::{HttpResponse, MAX_RESPONSE_LENGTH, Session};
pub use service_error::ServiceError;
