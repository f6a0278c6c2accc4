// What a server has stored: documents and indexes of one MongoDB database.
import { MongoClient } from 'mongodb';

/** JSON with sorted keys: the order of keys means nothing to Parse. */
export const canonical = value =>
  JSON.stringify(value, (_, item) =>
    item !== null && typeof item === 'object' && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );

/** Opens the database of a URI, hands it to `use` and closes it. */
export async function withDatabase(uri, use) {
  const client = new MongoClient(uri, { promoteValues: false });
  try {
    return await use(client.db());
  } finally {
    await client.close();
  }
}

const collectionNames = async db =>
  (await db.listCollections({}, { nameOnly: true }).toArray()).map(({ name }) => name).filter(name => !name.startsWith('system.')).sort();

/** All documents by collection, normalised and in an order of their own. */
export function readDocuments(uri, normaliser) {
  return withDatabase(uri, async db => {
    const dump = {};
    for (const name of await collectionNames(db)) {
      const documents = await db.collection(name).find().sort({ _created_at: 1 }).toArray();
      dump[name] = documents.map(document => normaliser.document(document)).sort((a, b) => (canonical(a) < canonical(b) ? -1 : 1));
    }
    return dump;
  });
}

/** All indexes by collection and name, without what MongoDB adds by itself. */
export function readIndexes(uri) {
  return withDatabase(uri, async db => {
    const found = {};
    for (const name of await collectionNames(db)) {
      const list = await db.collection(name).indexes({ promoteValues: true });
      found[name] = Object.fromEntries(
        list.map(({ name: index, key, unique = false, sparse = false, collation, expireAfterSeconds }) => [
          index,
          { key, unique, sparse, collation: collation && { locale: collation.locale, strength: collation.strength }, expireAfterSeconds },
        ]),
      );
    }
    return found;
  });
}
