// From a call to the parts of a signed request, as `js/driver.js` carries it out: the rest is read while
// WebCrypto signs.

export async function signed(call, identity, time) {
  const unsigned = call.prepare(identity.chain, time);
  const signing = identity.sign(unsigned);
  const { url, headers, body } = unsigned;
  const signature = await signing;
  const authorization = unsigned.authorization(signature);
  signature.free?.();
  unsigned.free?.();
  return { url, headers: [...headers, "authorization", authorization], body };
}
