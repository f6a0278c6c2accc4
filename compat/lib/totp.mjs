// One-time codes (RFC 6238), as an authenticator app shows them.
import crypto from 'node:crypto';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A new secret in base32: 160 bits. */
export function newSecret() {
  return Array.from(crypto.randomBytes(32), byte => ALPHABET[byte & 31]).join('');
}

/** The code of a moment. */
export function code(secret, { at = Date.now(), digits = 6, period = 30, algorithm = 'sha1' } = {}) {
  const bits = Array.from(secret, letter => ALPHABET.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 1000 / period)));
  const tag = crypto.createHmac(algorithm, key).update(counter).digest();
  const number = tag.readUInt32BE(tag[tag.length - 1] & 15) & 0x7fffffff;
  return String(number % 10 ** digits).padStart(digits, '0');
}
