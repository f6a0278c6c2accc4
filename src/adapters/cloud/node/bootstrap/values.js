'use strict';
// Values between JSON and what handlers see.

/** Turns parameters into what handlers see, in place: dates, files, and pointers as objects without data. */
function decodeParameters(Parse, value) {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) value[index] = decodeParameters(Parse, value[index]);
    return value;
  }
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  switch (value.__type) {
    case 'Date':
      return new Date(value.iso);
    case 'File':
      return Parse.File.fromJSON(value);
    case 'Pointer':
      if (typeof value.className !== 'string' || typeof value.objectId !== 'string') break;
      return Parse.Object.fromJSON({ __type: 'Pointer', className: value.className, objectId: value.objectId });
  }
  delete value.__proto__;
  for (const key of Object.keys(value)) value[key] = decodeParameters(Parse, value[key]);
  return value;
}

/** The result of a function as JSON values. Throws for what has no JSON form. */
function encodeResult(Parse, value) {
  if (value === undefined || value === null || typeof value !== 'object') {
    if (typeof value === 'bigint') throw new TypeError('a BigInt has no JSON form');
    return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
  }
  refuseCycles(Parse, value, new Set());
  return Parse._encode(value);
}

/** The SDK's encoder would recurse for ever. */
function refuseCycles(Parse, value, above) {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError('an invalid Date has no JSON form');
    return;
  }
  if (value === null || typeof value !== 'object' || value instanceof Parse.Object) return;
  if (above.has(value)) throw new TypeError('a value that contains itself has no JSON form');
  if (Object.getPrototypeOf(value) !== Object.prototype && !Array.isArray(value)) return;
  above.add(value);
  for (const key of Object.keys(value)) refuseCycles(Parse, value[key], above);
  above.delete(value);
}

module.exports = { decodeParameters, encodeResult };
