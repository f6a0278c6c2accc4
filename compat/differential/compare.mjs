// Runs one script of requests against npm parse-server and against the server under test, each on a database of its own in
// the same mongod, and compares every answer and, at the end, all stored documents.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { isAccident, isRefusal } from './accidents.mjs';
import { startServer } from '../lib/server.mjs';
import { freshDatabase } from '../lib/stores.mjs';
import { readDocuments, readIndexes } from './database.mjs';
import { Normaliser } from './normalise.mjs';

/** One of the two servers, with what the script kept of its answers. */
class Side {
  constructor(server) {
    this.server = server;
    this.kept = {};
    this.normaliser = new Normaliser(server.root);
  }

  request(method, path, options) {
    return this.server.request(method, path, options);
  }
  get(path, options) {
    return this.request('GET', path, options);
  }
  post(path, json, options) {
    return this.request('POST', path, { json, ...options });
  }
  put(path, json, options) {
    return this.request('PUT', path, { json, ...options });
  }
  delete(path, options) {
    return this.request('DELETE', path, options);
  }
  /** The caller whose sign up or log in was kept under this name. */
  as(name) {
    return { session: this.kept[name].sessionToken };
  }
}

/**
 * One step of a script: `send` makes the request on a side and returns the answer. `keep` names the answer's body for
 * later steps; `differs` is the reason of a known difference, which makes the step fail once the servers agree.
 */
export const step = (title, send, { keep, differs } = {}) => ({ title, send, keep, differs });

async function perform({ send, keep }, side) {
  const answer = await send(side);
  if (keep) side.kept[keep] = answer.body;
  return answer;
}

function assertSame(ours, reference, differs) {
  let difference;
  try {
    assert.deepStrictEqual(ours, reference);
  } catch (error) {
    difference = error;
  }
  if (differs === undefined) {
    if (difference) throw difference;
  } else {
    assert.ok(difference, `the servers agree now: take the known difference away (${differs})`);
  }
}

/**
 * Registers the tests of a script. `options` are the servers' options; `documents` names known differences in stored
 * collections, as reasons by collection.
 */
export function differential(name, { options = {}, steps, documents = {} }) {
  describe(name, () => {
    let reference;
    let ours;
    before(async () => {
      const all = { allowClientClassCreation: true, ...options };
      const [first, second] = await Promise.all([
        startServer(all, { which: 'reference', database: freshDatabase('mongo') }),
        startServer(all, { database: freshDatabase('mongo') }),
      ]);
      reference = new Side(first);
      ours = new Side(second);
    });
    after(() => Promise.all([reference, ours].map(side => side?.server.stop())));

    for (const current of steps) {
      test(current.title, async () => {
        const [theirs, mine] = await Promise.all([perform(current, reference), perform(current, ours)]);
        if (isAccident(theirs)) {
          assert.ok(isRefusal(mine, theirs), `the reference fails by accident (${theirs.status}), and we answer ${mine.status} ${mine.text}`);
        } else {
          assertSame(ours.normaliser.answer(mine), reference.normaliser.answer(theirs), current.differs);
        }
      });
    }

    test('stored documents', async () => {
      const [theirs, mine] = await Promise.all([reference, ours].map(side => readDocuments(side.server.options.databaseURI, side.normaliser)));
      const names = new Set([...Object.keys(theirs), ...Object.keys(mine)]);
      for (const collection of names) {
        if (collection === '_SCHEMA') continue;
        assertSame(mine[collection] ?? [], theirs[collection] ?? [], documents[collection]);
      }
      assertSame(mine._SCHEMA.map(withoutIndexes), theirs._SCHEMA.map(withoutIndexes), documents._SCHEMA);
      for (const schema of theirs._SCHEMA) {
        const other = mine._SCHEMA.find(candidate => candidate._id === schema._id);
        const listed = schema._metadata?.indexes ?? {};
        assert.deepEqual({ ...other._metadata?.indexes, ...listed }, { ...listed, ...other._metadata?.indexes }, schema._id);
      }
    });

    test('the reference’s indexes are all there', async () => {
      const [theirs, mine] = await Promise.all([reference, ours].map(side => readIndexes(side.server.options.databaseURI)));
      for (const [collection, indexes] of Object.entries(theirs)) {
        for (const [index, definition] of Object.entries(indexes)) {
          assert.deepEqual(mine[collection]?.[index], definition, `${collection}.${index}`);
        }
      }
    });
  });
}

/** Our own indexes stand in the schema document too, so the lists differ. */
function withoutIndexes({ _metadata, ...schema }) {
  const { indexes, ...metadata } = _metadata ?? {};
  return Object.keys(metadata).length > 0 ? { ...schema, _metadata: metadata } : schema;
}
