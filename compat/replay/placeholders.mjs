// The `{{…}}` of a scenario. In a request they are replaced by values; in an expectation they are known values
// or stand for a kind of text.
import crypto from 'node:crypto';

const MARK = /\{\{([^{}]+)\}\}/g;

/** Kinds of text, as patterns. */
const KINDS = new Map([
  ['objectId', '[A-Za-z0-9]{10}'],
  ['objectId16', '[A-Za-z0-9]{16}'],
  ['iso-date', '\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z'],
  ['sessionToken', 'r:[0-9a-f]{32}'],
  ['uuid', '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'],
  ['hex24', '[0-9a-f]{24}'],
  ['hex32', '[0-9a-f]{32}'],
  ['random25', '[A-Za-z0-9]{25}'],
  ['random30', '[A-Za-z0-9]{30}'],
  ['bcrypt', '\\$2[aby]\\$\\d{2}\\$[./A-Za-z0-9]{53}'],
  ['string', '[^]*'],
  ['text', '[^]+'],
]);

/** Placeholders that, alone in a string, stand for a value of any or of another type. */
const VALUES = new Map([
  ['{{any}}', () => true],
  ['{{number}}', value => typeof value === 'number'],
  ['{{boolean}}', value => typeof value === 'boolean'],
]);

const base64 = text => Buffer.from(text, 'utf8').toString('base64');
const literal = text => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** A time-based one-time password (RFC 6238: SHA-1, 6 digits, 30 seconds) for a Base32 secret. */
export function totp(secret, at = Date.now()) {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  let bits = '';
  for (const letter of secret.replace(/=+$/, '')) bits += alphabet.indexOf(letter).toString(2).padStart(5, '0');
  const key = Buffer.from(bits.match(/.{8}/g).map(byte => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30_000)));
  const mac = crypto.createHmac('sha1', key).update(counter).digest();
  const from = mac.at(-1) & 0x0f;
  const number = (mac.readUInt32BE(from) & 0x7fff_ffff) % 1_000_000;
  return String(number).padStart(6, '0');
}

/** What a run of one scenario knows: the addresses of the servers, and the values captured so far. */
export class Scope {
  constructor(addresses) {
    this.addresses = addresses;
    this.captured = new Map();
  }

  /** The value of a `$name`, or the text itself. */
  #argument(text) {
    if (!text.startsWith('$')) return text;
    const name = text.slice(1);
    if (!this.captured.has(name)) throw new Error(`nothing was captured as ${name}`);
    return this.captured.get(name);
  }

  /** The value of a placeholder, or undefined where it stands for a kind of text. */
  value(mark) {
    if (Object.hasOwn(this.addresses, mark)) return this.addresses[mark];
    if (mark.startsWith('$')) return this.#argument(mark);
    const shift = /^now([+-]\d+)$/.exec(mark);
    if (shift) return new Date(Date.now() + 1000 * Number(shift[1])).toISOString();
    const [verb, ...rest] = mark.split(':');
    const argument = rest.join(':');
    switch (verb) {
      case 'enc':
        return encodeURIComponent(this.value(argument));
      case 'basic':
        return base64(argument);
      case 'totp':
        return totp(this.#argument(argument));
      case 'gid':
        return base64(`${rest[0]}:${this.#argument(rest.slice(1).join(':'))}`);
      case 'split':
        return this.#argument(rest.slice(1).join(':')).split(', ')[Number(rest[0])];
      default:
        return undefined;
    }
  }

  /** A copy of `template` with every placeholder that has a value replaced, in keys too. */
  fill(template) {
    if (typeof template === 'string') return template.replace(MARK, (whole, mark) => this.value(mark) ?? whole);
    if (Array.isArray(template)) return template.map(item => this.fill(item));
    if (template === null || typeof template !== 'object') return template;
    return Object.fromEntries(Object.entries(template).map(([key, value]) => [this.fill(key), this.fill(value)]));
  }

  /** Whether `actual` is what the text `template` describes. */
  matches(template, actual) {
    const test = VALUES.get(template);
    if (test) return test(actual);
    if (typeof actual !== 'string') return false;
    const globalId = /^\{\{globalId:(.+)\}\}$/.exec(template);
    if (globalId) {
      const plain = Buffer.from(actual, 'base64').toString('utf8');
      return new RegExp(`^${literal(globalId[1])}:${KINDS.get('objectId')}$`).test(plain);
    }
    // split() with a group: texts at even places, placeholders at odd ones
    const pattern = template.split(MARK).map((part, place) => {
      if (place % 2 === 0) return literal(part);
      const value = this.value(part);
      if (value !== undefined) return literal(String(value));
      return KINDS.has(part) ? `(?:${KINDS.get(part)})` : literal(`{{${part}}}`);
    });
    return new RegExp(`^${pattern.join('')}$`).test(actual);
  }
}
