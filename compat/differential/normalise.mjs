// Replaces what always differs between two servers in answers and stored documents: ids, times, tokens, addresses.
import { EJSON } from 'bson';

/** Fields whose dates the server chooses. */
const CLOCK_FIELDS = new Set(['createdAt', 'updatedAt', 'expiresAt', '_created_at', '_updated_at', 'finishedAt', 'expire', '_email_verify_token_expires_at']);
const PATTERNS = [
  [/r:[0-9a-f]{32}/g, '<token>'],
  [/\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}/g, '<bcrypt>'],
  [/\b[A-Za-z0-9]{25}\b/g, '<random>'],
];

/** The normaliser of one server. Ids are numbered in the order in which they show up. */
export class Normaliser {
  #ids = new Map();

  constructor(root) {
    this.root = root;
  }

  /** Remembers the ids in an answer; only what stands under `objectId` is taken for one. */
  #learn(value) {
    if (Array.isArray(value)) for (const item of value) this.#learn(item);
    else if (value !== null && typeof value === 'object') {
      for (const [key, item] of Object.entries(value)) {
        if (key === 'objectId' && typeof item === 'string' && /^[A-Za-z0-9]{10}$/.test(item) && !this.#ids.has(item)) {
          this.#ids.set(item, `<id ${this.#ids.size + 1}>`);
        }
        this.#learn(item);
      }
    }
  }

  #text(text) {
    let out = text.replaceAll(this.root, '<root>');
    for (const [id, label] of this.#ids) out = out.replaceAll(id, label);
    for (const [pattern, label] of PATTERNS) out = out.replace(pattern, label);
    return out;
  }

  #value(value, key) {
    if (CLOCK_FIELDS.has(key) && value !== null) {
      if (typeof value === 'string') return '<date>';
      if (typeof value === 'object' && (value.__type === 'Date' || value.$date !== undefined)) return '<Date>';
    }
    if (typeof value === 'string') return this.#text(value);
    if (Array.isArray(value)) return value.map(item => this.#value(item));
    if (value === null || typeof value !== 'object') return value;
    if (value.$oid !== undefined) return '<ObjectId>';
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [this.#text(name), this.#value(item, name)]));
  }

  /** Status, the headers that belong to the protocol, and body. */
  answer({ status, headers, body, text }) {
    this.#learn(body);
    // The reference sends one refusal without telling its content type.
    const untyped = status === 403 && body?.error === 'unauthorized';
    const kept = Object.entries(headers).filter(([name]) => !(untyped && name === 'content-type') && /^(content-type|location|retry-after|x-parse-|access-control-)/.test(name));
    return { status, headers: this.#value(Object.fromEntries(kept)), body: body === undefined ? this.#text(text) : this.#value(body) };
  }

  /** A stored document, with its BSON types visible. The id of a row that no answer named is just an id. */
  document(document) {
    const row = this.#value(JSON.parse(EJSON.stringify(document, { relaxed: false })));
    return /^[A-Za-z0-9]{10}$/.test(row._id) ? { ...row, _id: '<id>' } : row;
  }
}
