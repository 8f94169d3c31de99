// The one class of errors. Its `code` is the contract across languages: tests/vectors/errors.json.

/** Every code that an error may have. */
export const ERROR_CODES = Object.freeze([
  "access_denied",
  "invalid_certificate",
  "invalid_input",
  "invalid_key",
  "invalid_response",
  "key_mismatch",
  "password_required",
  "request_rejected",
  "service_unavailable",
  "signing_failed",
  "throttled",
  "transport_failed",
  "unsupported",
  "wrong_password",
]);

const RETRYABLE = new Set(["service_unavailable", "throttled", "transport_failed"]);
// Two copies of the package (ESM and CommonJS, the full build and the WebCrypto one) have two
// classes; the brand is one.
const BRAND = Symbol.for("rolesanywhere.error");
// What the core knows of an error, to be told it again. Not a property: it is of no use to users.
const failures = new WeakMap();
/**
 * What a host that reads identities itself knows when one cannot be read: `{ modified, last }`, when the
 * newest of its files was modified (milliseconds since 1970), and the last identity that could be read.
 */
export const identityFailures = new WeakMap();

export class RolesAnywhereError extends Error {
  constructor(code, message, details = {}) {
    const { cause } = details;
    // The host's error of a failed exchange may carry the answer, credentials included: undici's `data` does.
    super(printable(String(message)), cause === undefined ? undefined : { cause: code === "transport_failed" ? plain(cause) : cause });
    this.name = "RolesAnywhereError";
    this.code = code;
    this.retryable = RETRYABLE.has(code);
    for (const name of ["status", "serviceCode", "serviceMessage", "requestId", "retryAfter", "serverTime"]) {
      if (details[name] !== undefined) this[name] = details[name];
    }
    Object.defineProperty(this, BRAND, { value: true });
  }
}

export function isRolesAnywhereError(value, code) {
  const ours = value instanceof Error && value[BRAND] === true;
  return ours && (code === undefined || value.code === code);
}

/** Calls into the core; what it throws becomes a `RolesAnywhereError`. */
export function calling(core, act) {
  try {
    return act();
  } catch (thrown) {
    throw thrown instanceof core.Failure ? fromFailure(thrown) : thrown;
  }
}

/** The same with a core that may promise its answer, as the native one does where work takes long. */
export async function awaiting(core, act) {
  try {
    return await act();
  } catch (thrown) {
    throw thrown instanceof core.Failure ? fromFailure(thrown) : thrown;
  }
}

/** What the core is told about an error: its own words, or the code of what the host met. */
export function failureOf(core, error) {
  return failures.get(error) ?? new core.Failure(error.code, error.message);
}

/** Whatever was thrown by code of the user's or the host's, under a code. */
export function wrapped(code, what, thrown) {
  if (isRolesAnywhereError(thrown)) return thrown;
  return new RolesAnywhereError(code, `${what}: ${reason(thrown)}`, { cause: thrown });
}

export function invalidInput(message) {
  return new RolesAnywhereError("invalid_input", message);
}

/** What users catch, of what the core says. */
export function fromFailure(failure, cause) {
  const { serverTime } = failure;
  const error = new RolesAnywhereError(failure.code, failure.message, {
    cause,
    status: failure.status,
    serviceCode: failure.serviceCode,
    serviceMessage: failure.serviceMessage,
    requestId: failure.requestId,
    retryAfter: failure.retryAfter,
    serverTime: serverTime === undefined ? undefined : new Date(serverTime * 1000),
  });
  failures.set(error, failure);
  return error;
}

function reason(thrown) {
  if (!(thrown instanceof Error)) return String(thrown);
  // `fetch` says "fetch failed" and hides the reason in the cause.
  const inner = thrown.cause instanceof Error ? thrown.cause.message : "";
  const text = [thrown.message, inner].filter((part) => part !== "").join(": ");
  return text === "" ? thrown.name : text;
}

/** The longest message, in characters: the core's are shorter, and a server decides how long a host's are. */
const MAX_MESSAGE_LENGTH = 4096;

/**
 * As the core's `text::printable`: a space for what ends a line, `\u{202e}` for what acts or is not seen. A host's
 * error may quote what a server sent; the core's own messages come escaped.
 */
function printable(message) {
  const shown = message.slice(0, MAX_MESSAGE_LENGTH).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    "\t\n\r".includes(character) ? " " : `\\u{${character.codePointAt(0).toString(16)}}`,
  );
  return shown.length > MAX_MESSAGE_LENGTH || message.length > MAX_MESSAGE_LENGTH ? `${shown.slice(0, MAX_MESSAGE_LENGTH)}…` : shown;
}

/** How many causes of causes are kept; `fetch` has two. */
const MAX_CAUSES = 4;

/** An error with what is said of it, and none of what a host hangs onto it. */
function plain(thrown, depth = 0) {
  if (!(thrown instanceof Error)) return thrown;
  const more = thrown.cause === undefined || depth === MAX_CAUSES ? undefined : { cause: plain(thrown.cause, depth + 1) };
  const copy = new Error(printable(thrown.message), more);
  copy.name = thrown.name;
  if (thrown.code !== undefined) copy.code = thrown.code;
  return copy;
}
