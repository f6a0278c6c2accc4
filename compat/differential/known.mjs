// The differences between answers of npm parse-server and of the server under test that random requests meet, each with its reason.
// `matches` gets the request, our answer and the reference's, both as `{status, body}`. `store`: on this store alone.

const inspects = (value, find) =>
  value !== null && typeof value === 'object' && (find(value) || Object.values(value).some(inner => inspects(inner, find)));
const field = (request, name, operator) => inspects(request, value => operator in Object(value[name]));
const errors = answer => answer.body?.errors ?? [];
/** A search for objects. */
const finds = ({ method, path }) => method === 'GET' && /^\/classes\/\w+$/.test(path);
/** A request that writes an object, or several in a batch. */
const writes = ({ method, path }) => method !== 'GET' && /^\/(batch$|classes\/)/.test(path);
/** The bodies of the objects that a request writes. */
const written = request => (request.path === '/batch' ? request.json.requests.map(part => part.body) : [request.json]);
const text = value => JSON.stringify(value);

/** Rows without the relation fields. */
const withoutRelations = rows => text(rows?.map(row => Object.fromEntries(Object.entries(row).filter(([, value]) => value?.__type !== 'Relation'))));

const bothList = (ours, theirs) => Array.isArray(ours.body?.results) && Array.isArray(theirs.body?.results);

/** Without what the field `p` points to. */
const withoutPointer = value => JSON.parse(text(value), (key, inner) => (key === 'p' ? undefined : inner));

/** Without the values of GraphQL elements that are pointers; those inside lists by their ids, whether they were read or not. */
const withoutPointerValues = value =>
  JSON.parse(text(value), (key, inner) => {
    if (!['Pointer', 'Object'].includes(inner?.__type) || !inner.className) return inner;
    return key === 'value' ? undefined : inner.objectId;
  });

const withoutNulls = value => {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== null).map(([key, inner]) => [key, withoutNulls(inner)]));
};

/** The bodies of the parts of a batch, or the one body. */
const parts = ({ body }) => (Array.isArray(body) ? body.map(part => part.error ?? part) : [body]);
const sameCode = (ours, theirs) => text(ours) === text(theirs) || (ours?.code === 111 && theirs?.code === 111);

/** Whether a field is compared with an object that is neither a constraint nor of one of Parse's types, which is refused. */
const isPlain = (key, value) =>
  (!key.startsWith('$') || key === '$ne') && value !== null && typeof value === 'object' && !Array.isArray(value) && !('__type' in value) &&
  Object.keys(value).every(name => !name.startsWith('$'));

/** How many things are wrong with a condition: constraints that do not exist or fit few fields, impossible names, empty lists of conditions. */
function faults(where) {
  if (Array.isArray(where)) return where.reduce((sum, inner) => sum + faults(inner), 0);
  if (where === null || typeof where !== 'object') return 0;
  return Object.entries(where).reduce((sum, [key, value]) => {
    const wrong =
      ['$foo', '$size', '$where', '', 'a b', '_hashed_password', '$x'].includes(key) ||
      (['$or', '$and', '$nor'].includes(key) && value.length === 0) ||
      ['$all', '$regex', '$options', '$geoWithin', '$inQuery', '$notInQuery', '$select', '$gt', '$gte', '$lt', '$lte'].includes(key);
    return sum + (wrong || isPlain(key, value) ? 1 : 0) + faults(value);
  }, 0);
}

/** How many of `limit` and `skip` are wrong. */
const misused = ({ limit = 0, skip = 0 }) => [limit, skip].filter(value => !(Number.isInteger(value) && value >= 0)).length;

/** `{reason, store?, matches(request, ours, theirs)}` */
export const known = [
  {
    reason: '$exists on a relation finds the objects with members, or without; the reference finds none either way',
    matches: (request, ours, theirs) => finds(request) && field(request.query.where, 'r', '$exists') && bothList(ours, theirs),
  },
  {
    reason: 'a condition on a relation inside $nor finds the objects without such members; the reference compares the field, which is never stored',
    matches: (request, ours, theirs) => finds(request) && inspects(request.query.where, value => Array.isArray(value.$nor) && inspects(value.$nor, part => 'r' in part)) && bothList(ours, theirs),
  },
  {
    store: 'embedded',
    reason: 'a hint that names no index is refused, also before the class has its first object, when MongoDB has no collection to look at',
    matches: (request, ours, theirs) => finds(request) && request.query.hint === 'x' && ours.body?.code === 102 && theirs.body?.results?.length === 0,
  },
  {
    reason: '$all with one pointer finds the objects whose pointer field has it; the reference compares another form than it stores, and finds none',
    matches: (request, ours, theirs) =>
      finds(request) && inspects(request.query.where, value => value.p?.$all?.some(one => one?.__type === 'Pointer')) &&
      ours.status === 200 && theirs.status === 200 && (theirs.body?.results ?? []).length <= (ours.body?.results ?? []).length,
  },
  {
    reason: 'a condition that no object can meet is answered without asking the database; the reference asks it, with a hint that names no index',
    matches: (request, ours, theirs) => finds(request) && request.query.hint === 'x' && ours.body?.results?.length === 0 && theirs.status === 500,
  },
  {
    reason: 'the reference adds relation fields to every result of an aggregation',
    matches: (request, ours, theirs) => request.path?.startsWith('/aggregate') && withoutRelations(ours.body?.results) === withoutRelations(theirs.body?.results),
  },
  {
    reason: 'a part of a batch that fails inside the reference by accident has an empty error',
    matches: (request, ours, theirs) =>
      request.path === '/batch' &&
      Array.isArray(ours.body) && Array.isArray(theirs.body) &&
      ours.body.every((part, index) => text(part) === text(theirs.body[index]) || (text(theirs.body[index]?.error) === '{}' && typeof part.error?.code === 'number')),
  },
  {
    reason: 'a part of a batch with a path through a value that is no object: 102; the reference shows code and text of the database',
    matches: (request, ours, theirs) =>
      request.path === '/batch' && parts(ours).length === parts(theirs).length &&
      parts(ours).every((part, index) => text(part) === text(parts(theirs)[index]) || (part.code === 102 && parts(theirs)[index].code === 28)),
  },
  {
    reason: 'with limit=0 the reference does not look at the condition, so that it does not notice a malformed one',
    matches: (request, ours, theirs) => finds(request) && request.query.limit === 0 && ours.status === 400 && text(theirs) === text({ body: { results: [] }, status: 200 }),
  },
  {
    reason: '$in and $nin with points: the reference compares single coordinates, which finds points that share one',
    matches: (request, ours, theirs) => finds(request) && ['$in', '$nin'].some(name => inspects(request.query.where, value => Array.isArray(value.g?.[name]) && value.g[name].some(item => item?.__type === 'GeoPoint'))) && bothList(ours, theirs),
  },
  {
    reason: 'permission to write the user comes before what is wrong with the value, which tells nothing about other users',
    matches: (request, ours, theirs) => request.method === 'PUT' && request.path.startsWith('/users/') && ours.body?.code === 206 && [107, 202, 203].includes(theirs.body?.code),
  },
  {
    reason: 'who changes the password of another user, because the row lets everybody, gets no session token; the reference answers one',
    matches: ({ method, path, as, json }, ours, theirs) =>
      method === 'PUT' && path.startsWith('/users/') && path !== `/users/${as}` && json.password && ours.status === 200 && theirs.status === 200,
  },
  {
    reason: 'a username cannot be deleted: 200 instead of an accidental 107',
    matches: (request, ours, theirs) => request.method === 'PUT' && request.path.startsWith('/users/') && request.json.username?.__op === 'Delete' && ours.body?.code === 200 && theirs.body?.code === 107,
  },
  {
    reason: 'an unknown constraint is refused on relations as on other fields',
    matches: (request, ours, theirs) => finds(request) && inspects(request.query.where, value => ['$where', '$foo', '$size'].some(name => name in Object(value.r))) && ours.body?.code === 107 && theirs.status === 200,
  },
  {
    reason: 'of several faults of a condition another one is named',
    matches: (request, ours, theirs) => finds(request) && request.query.where && faults(request.query.where) + misused(request.query) > 1 && [ours, theirs].every(({ status, body }) => status === 400 && [102, 105, 107].includes(body?.code)),
  },
  {
    reason: 'of several faults of a change of a class another one is named',
    matches: (request, ours, theirs) => request.path?.startsWith('/schemas/') && request.method === 'PUT' && [111, 135].includes(ours.body?.code) && theirs.body?.code === 255,
  },
  {
    reason: 'excludeKeys=p wins over keys=p.x',
    matches: ({ query }, ours, theirs) => query?.keys?.includes('p.s') && query.excludeKeys?.split(',').includes('p') && text(withoutPointer(ours)) === text(withoutPointer(theirs)),
  },
  {
    reason: 'of several values of a wrong type another one is named',
    matches: (request, ours, theirs) => writes(request) && parts(ours).every((part, index) => sameCode(part, parts(theirs)[index])),
  },
  {
    reason: 'an objectId that is not a string is refused before other values and permissions are looked at',
    matches: (request, ours, theirs) =>
      request.method === 'POST' && writes(request) &&
      parts(ours).every((part, index) =>
        text(part) === text(parts(theirs)[index]) || sameCode(part, parts(theirs)[index]) ||
        (written(request)[index]?.objectId === 5 && part?.code === 111 && typeof parts(theirs)[index]?.code === 'number')),
  },
  {
    reason: 'another objectId in an update is ignored; the reference fails by accident',
    matches: (request, ours, theirs) => request.method === 'PUT' && request.json.objectId === 'other' && ours.status === 200 && theirs.status === 500,
  },
  {
    reason: 'a pointer that was created as null is also shown with keys and excludeKeys',
    matches: (request, ours, theirs) => request.method === 'GET' && request.path.startsWith('/classes/') && (request.query.excludeKeys || request.query.keys) && text(withoutNulls(ours)) === text(withoutNulls(theirs)),
  },
  {
    reason: 'GraphQL: a subscription is refused with 400, as other documents that do not fit the schema',
    matches: (request, ours) => request.graphql?.query.startsWith('subscription') && ours.status === 400,
  },
  {
    reason: 'GraphQL: a document without an operation counts as malformed',
    matches: (request, ours) => request.graphql?.query.startsWith('fragment') && errors(ours)[0]?.extensions.code === 'GRAPHQL_PARSE_FAILED',
  },
  {
    reason: 'GraphQL: objects that an array points to are read only if their fields are selected; otherwise the value is the pointer',
    matches: (request, ours, theirs) => request.graphql && text(withoutPointerValues(ours)) === text(withoutPointerValues(theirs)),
  },
  {
    reason: 'GraphQL: the wording of what is wrong with a value, and the number of such errors; status and code are the same',
    matches: (request, ours, theirs) =>
      request.graphql && ours.status === 400 && theirs.status === 400 &&
      errors(ours).length > 0 && errors(theirs).every(error => error.extensions.code === errors(ours)[0].extensions.code) &&
      // a value: that of the same variable
      (errors(ours)[0].extensions.code !== 'BAD_USER_INPUT' || errors(ours)[0].message.split('"')[1] === errors(theirs)[0].message.split('"')[1]),
  },
  {
    reason: 'GraphQL: the reference fails by accident at null inside a list',
    matches: (request, ours, theirs) =>
      request.graphql && errors(theirs).length > 0 &&
      errors(theirs).every(({ message }) => /^Cannot read properties of null/.test(message)) &&
      errors(ours).length === 0 && text(withoutPointerValues(ours.body.data)) === text(withoutPointerValues(theirs.body.data)),
  },
];
