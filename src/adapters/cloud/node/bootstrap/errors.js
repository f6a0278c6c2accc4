'use strict';
// Errors on their way from handlers to clients.

const SCRIPT_FAILED = 141;
const VALIDATION_ERROR = 142;

/** An error of the Parse protocol, made here and not by the SDK: it also exists before the SDK is loaded. */
class ProtocolError extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

function isParseError(error) {
  if (error instanceof ProtocolError) return true;
  // The app may have several copies of the SDK, so `instanceof` is not enough.
  return error instanceof Error && error.constructor.name === 'ParseError' && Number.isInteger(error.code);
}

/**
 * What is sent for something that was thrown: a Parse.Error keeps its code and text; a text, an Error or an object with
 * a `message` gives its text with the usual code; anything else gives the usual text.
 */
function toFailure(thrown, { code = SCRIPT_FAILED, text = 'Script failed.' } = {}) {
  const stack = thrown instanceof Error ? String(thrown.stack) : undefined;
  if (isParseError(thrown)) return { code: thrown.code, message: String(thrown.message ?? ''), stack };
  if (typeof thrown === 'string') return { code, message: thrown };
  if (thrown !== null && typeof thrown === 'object' && typeof thrown.message === 'string') {
    return { code, message: thrown.message, stack };
  }
  if (typeof thrown === 'number' || typeof thrown === 'bigint') return { code, message: String(thrown) };
  return { code, message: text };
}

module.exports = { ProtocolError, SCRIPT_FAILED, VALIDATION_ERROR, isParseError, toFailure };
