// Objects, queries, schema, permissions, roles and batches.
import { step } from '../compare.mjs';

const at = (side, name, className = 'Thing') => `/classes/${className}/${side.kept[name].objectId}`;
const pointer = (side, name, className = 'Thing') => ({ __type: 'Pointer', className, objectId: side.kept[name].objectId });
const master = { master: true };
const date = iso => ({ __type: 'Date', iso });

export const objects = [
  step('create', s => s.post('/classes/Thing', { name: 'one', n: 1 }), { keep: 'one' }),
  step('create with every type', s =>
    s.post('/classes/Thing', {
      name: 'all', n: 2.5, flag: true, list: [1, 'x', null, { k: 'v' }, date('2021-01-01T00:00:00.000Z'), pointer(s, 'one')], map: { a: { b: 1 }, d: date('2021-01-01T00:00:00.000Z') },
      when: date('2020-02-03T04:05:06.789Z'), place: { __type: 'GeoPoint', latitude: 1, longitude: 2 }, area: { __type: 'Polygon', coordinates: [[0, 0], [0, 1], [1, 1]] },
      bytes: { __type: 'Bytes', base64: 'AAEC' }, file: { __type: 'File', name: 'a.txt' }, other: pointer(s, 'one'), nothing: null, big: 9007199254740991, small: -1e-7,
    }), { keep: 'all' }),
  step('get', s => s.get(at(s, 'all'))),
  step('get with keys', s => s.get(at(s, 'all'), { query: { keys: 'name,map.a' } })),
  step('get with include', s => s.get(at(s, 'all'), { query: { include: 'other' } })),
  step('get with where', s => s.get(at(s, 'all'), { query: { where: {} } })),
  step('get nothing', s => s.get('/classes/Thing/nowhere123')),
  step('get in no class', s => s.get('/classes/Nowhere/nowhere123')),
  step('find in no class', s => s.get('/classes/Nowhere')),
  step('update', s => s.put(at(s, 'one'), { name: 'uno', fresh: 'x' })),
  step('increment', s => s.put(at(s, 'one'), { n: { __op: 'Increment', amount: 2 }, hits: { __op: 'Increment', amount: 1 } })),
  step('add', s => s.put(at(s, 'one'), { tags: { __op: 'Add', objects: ['a', 'b'] } })),
  step('add unique', s => s.put(at(s, 'one'), { tags: { __op: 'AddUnique', objects: ['b', 'c'] } })),
  step('remove', s => s.put(at(s, 'one'), { tags: { __op: 'Remove', objects: ['a'] } })),
  step('delete a field', s => s.put(at(s, 'one'), { fresh: { __op: 'Delete' } })),
  step('paths', s => s.put(at(s, 'all'), { 'map.a.b': 2, 'map.new': 'x', 'map.count': { __op: 'Increment', amount: 1 } })),
  step('batch of operators', s => s.put(at(s, 'one'), { members: { __op: 'Batch', ops: [{ __op: 'AddRelation', objects: [pointer(s, 'all')] }] } })),
  step('relation', s => s.put(at(s, 'one'), { friends: { __op: 'AddRelation', objects: [pointer(s, 'all')] } })),
  step('related to', s => s.get('/classes/Thing', { query: { where: { $relatedTo: { object: pointer(s, 'one'), key: 'friends' } } } })),
  step('remove from a relation', s => s.put(at(s, 'one'), { friends: { __op: 'RemoveRelation', objects: [pointer(s, 'all')] } })),
  step('the row afterwards', s => s.get(at(s, 'one'))),
  step('wrong types', s => s.put(at(s, 'one'), { n: 'x' })),
  step('wrong pointer class', s => s.put(at(s, 'all'), { other: { __type: 'Pointer', className: '_User', objectId: 'x' } })),
  step('increment a list', s => s.put(at(s, 'one'), { tags: { __op: 'Increment', amount: 1 } })),
  step('increment by text', s => s.put(at(s, 'one'), { n: { __op: 'Increment', amount: 'x' } })),
  step('add no list', s => s.put(at(s, 'one'), { tags: { __op: 'Add', objects: 'x' } })),
  step('null for a typed field', s => s.put(at(s, 'one'), { n: null })),
  step('bad field names', s => s.post('/classes/Thing', { '1a': 1 })),
  step('nested dollar', s => s.post('/classes/Thing', { map: { $a: 1 } })),
  step('nested dot', s => s.post('/classes/Thing', { map: { 'a.b': 1 } })),
  step('an id of one’s own', s => s.post('/classes/Thing', { objectId: 'mine' })),
  step('id', s => s.post('/classes/Thing', { id: 'mine' })),
  step('dates of one’s own', s => s.post('/classes/Thing', { createdAt: date('2001-01-01T00:00:00.000Z'), updatedAt: date('2001-01-01T00:00:00.000Z') })),
  step('dates as text', s => s.post('/classes/Thing', { createdAt: '2001-01-01T00:00:00.000Z' })),
  step('a type that is none', s => s.post('/classes/Thing', { x: { __type: 'Nonsense' } })),
  step('a date as JavaScript reads it', s => s.post('/classes/Thing', { x: { __type: 'Date', iso: '01/02/2020' } })),
  step('a second GeoPoint', s => s.post('/classes/Thing', { place2: { __type: 'GeoPoint', latitude: 1, longitude: 2 } })),
  step('update nothing', s => s.put('/classes/Thing/nowhere123', { n: 1 })),
  step('empty update', s => s.put(at(s, 'one'), {})),
  step('delete nothing', s => s.delete('/classes/Thing/nowhere123')),
  step('create to delete', s => s.post('/classes/Thing', { name: 'short-lived' }), { keep: 'gone' }),
  step('delete', s => s.delete(at(s, 'gone'))),
  step('delete again', s => s.delete(at(s, 'gone'))),
];

const ROWS = [
  { i: 0, n: 1, t: 'apple', tags: ['a'], m: { x: 1 }, when: date('2020-01-01T00:00:00.000Z') },
  { i: 1, n: 2, t: 'Banana', tags: ['a', 'b'], m: { x: 2, y: [1, 2] } },
  { i: 2, n: 2.5, t: 'cherry pie', tags: [], mixed: 1, when: date('2021-01-01T00:00:00.000Z') },
  { i: 3, n: -3, t: 'date', tags: ['c', 'a'], flag: true, m: { x: null } },
  { i: 4, t: 'elder', flag: false, tags: [['a']], when: date('2022-01-01T00:00:00.000Z') },
  { i: 5, n: 0, t: '', list: [{ k: 1 }, { k: 2 }] },
  { i: 6, t: 'übung', tags: null, n: null },
];
const WHERES = {
  equal: { n: 2 }, 'equal null': { n: null }, 'equal text': { t: 'apple' }, 'equal empty text': { t: '' }, 'equal boolean': { flag: false }, 'equal element': { tags: 'a' },
  'equal list': { tags: ['a'] }, 'equal path': { 'm.x': 1 }, 'equal path null': { 'm.x': null }, 'equal map': { m: { x: 1 } }, 'path into lists': { 'list.k': 2 }, 'equal date': { when: date('2020-01-01T00:00:00.000Z') },
  ne: { n: { $ne: 2 } }, 'ne null': { n: { $ne: null } }, 'ne element': { tags: { $ne: 'a' } }, lt: { n: { $lt: 2 } }, lte: { n: { $lte: 2 } }, gt: { n: { $gt: 0 } }, gte: { n: { $gte: 0 } }, 'gt text': { t: { $gt: 'b' } },
  'lt of another type': { n: { $lt: 'x' } }, 'gt date': { when: { $gt: date('2020-06-01T00:00:00.000Z') } }, 'gt null': { n: { $gt: null } }, 'gte null': { n: { $gte: null } }, 'gt on a list': { tags: { $gt: 'a' } },
  in: { n: { $in: [1, -3] } }, 'in with null': { n: { $in: [null, 1] } }, 'in nothing': { n: { $in: [] } }, nin: { n: { $nin: [1, 2] } }, 'nin nothing': { n: { $nin: [] } }, 'nin null': { n: { $nin: [null] } }, 'in elements': { tags: { $in: ['b', 'c'] } },
  exists: { n: { $exists: true } }, 'exists not': { n: { $exists: false } }, 'exists path': { 'm.y': { $exists: true } }, all: { tags: { $all: ['a', 'b'] } }, 'all nothing': { tags: { $all: [] } }, 'all of patterns': { tags: { $all: [{ $regex: '^a' }] } },
  containedBy: { tags: { $containedBy: ['a', 'b'] } }, regex: { t: { $regex: '^[a-c]' } }, 'regex i': { t: { $regex: '^B', $options: 'i' } }, 'regex x': { t: { $regex: ' ^ a ', $options: 'x' } }, 'regex lookahead': { t: { $regex: '^(?!a)' } }, 'regex quoted': { t: { $regex: '^\\Qapple\\E$' } },
  'regex umlaut': { t: { $regex: 'Ü', $options: 'i' } }, or: { $or: [{ n: 1 }, { t: 'date' }] }, and: { $and: [{ n: { $gt: 0 } }, { tags: 'b' }] }, nor: { $nor: [{ n: { $gt: 0 } }, { t: 'date' }] }, 'or beside': { $or: [{ n: 1 }, { n: 2 }], t: 'Banana' }, 'nested or': { $or: [{ $and: [{ n: 1 }, { t: 'apple' }] }, { n: -3 }] },
  not: { n: { $not: { $gt: 1 } } }, eq: { n: { $eq: 2 } }, 'two conditions': { n: { $gt: 0, $lt: 2 } }, 'unknown field': { nowhere: 1 }, 'unknown field null': { nowhere: null }, 'in of no list': { n: { $in: 1 } }, 'all of no list': { n: { $all: 1 } }, 'exists of no boolean': { n: { $exists: 'x' } },
  'regex of no text': { t: { $regex: 1 } }, 'objectId that is none': { objectId: 1 }, 'createdAt as text': { createdAt: { $gt: '2001-01-01T00:00:00.000Z' } }, 'wrong type': { n: 'x' }, 'dollar key in a map': { m: { $x: 1 } }, 'select without query': { n: { $select: 1 } }, 'inQuery without class': { n: { $inQuery: {} } },
};
const found = options => s => s.get('/classes/Row', { query: { order: 'i', keys: 'i', ...options } });

export const queries = [
  ...ROWS.map(row => step(`row ${row.i}`, s => s.post('/classes/Row', row))),
  ...Object.entries(WHERES).map(([title, where]) => step(`where: ${title}`, found({ where }))),
  ...['n', '-n', 't', '-t', 'flag,-i', 'tags', '-tags', 'when', 'm', 'm.x', 'nowhere,i', '-createdAt', ' n , -i '].map(order => step(`order by ${order}`, found({ order: `${order},i` }))),
  step('limit and skip', found({ limit: 2, skip: 1 })),
  step('limit 0 with count', found({ limit: 0, count: 1 })),
  step('count', found({ where: { n: { $gt: 0 } }, count: 1, limit: 1 })),
  step('count false', found({ count: 0 })),
  step('excludeKeys', s => s.get('/classes/Row', { query: { order: 'i', where: { i: 1 }, excludeKeys: 'm,tags' } })),
  step('select', found({ where: { n: { $select: { query: { className: 'Row', where: { i: { $lt: 2 } } }, key: 'n' } } } })),
  step('dontSelect', found({ where: { n: { $dontSelect: { query: { className: 'Row', where: { i: { $lt: 2 } } }, key: 'n' } } } })),
  step('query by POST', s => s.post('/classes/Row', { _method: 'GET', where: { i: 1 }, keys: 'i' })),
  step('explain without master key', s => s.get('/classes/Row', { query: { explain: true } })),
];

export const schemas = [
  step('schema of a class', s => s.get('/schemas/Thing', master)),
  step('schema without master key', s => s.get('/schemas/Thing')),
  step('create', s => s.post('/schemas/Made', { className: 'Made', fields: { a: { type: 'String', required: true }, b: { type: 'Number', defaultValue: 3 }, p: { type: 'Pointer', targetClass: 'Thing' } } }, master)),
  step('create again', s => s.post('/schemas/Made', { className: 'Made' }, master)),
  step('required', s => s.post('/classes/Made', { b: 1 })),
  step('default', s => s.post('/classes/Made', { a: 'x' }), { keep: 'made' }),
  step('the default is there', s => s.get(at(s, 'made', 'Made'))),
  step('delete a required field', s => s.put(at(s, 'made', 'Made'), { a: { __op: 'Delete' } })),
  step('add and delete fields', s => s.put('/schemas/Made', { fields: { c: { type: 'Date' }, b: { __op: 'Delete' } } }, master)),
  step('add a field that is there', s => s.put('/schemas/Made', { fields: { a: { type: 'Number' } } }, master)),
  step('delete a field that is not', s => s.put('/schemas/Made', { fields: { z: { __op: 'Delete' } } }, master)),
  step('delete a field of the server', s => s.put('/schemas/Made', { fields: { objectId: { __op: 'Delete' } } }, master)),
  step('an index', s => s.put('/schemas/Made', { indexes: { by_a: { a: 1 } } }, master)),
  step('an index of nothing', s => s.put('/schemas/Made', { indexes: { by_z: { z: 1 } } }, master)),
  step('an index again', s => s.put('/schemas/Made', { indexes: { by_a: { a: 1 } } }, master)),
  step('permissions', s => s.put('/schemas/Made', { classLevelPermissions: { find: { requiresAuthentication: true }, get: { '*': true }, create: {}, protectedFields: { '*': ['a'] } } }, master)),
  step('find is closed', s => s.get('/classes/Made')),
  step('get hides the field', s => s.get(at(s, 'made', 'Made'))),
  step('create is closed', s => s.post('/classes/Made', { a: 'y' })),
  step('where with the field', s => s.get(at(s, 'made', 'Made'), { query: { where: { a: 'x' } } })),
  step('permissions of an unknown operation', s => s.put('/schemas/Made', { classLevelPermissions: { nonsense: { '*': true } } }, master)),
  step('permissions of a bad entity', s => s.put('/schemas/Made', { classLevelPermissions: { find: { 'not an id': true } } }, master)),
  step('permissions of a bad value', s => s.put('/schemas/Made', { classLevelPermissions: { find: { '*': 1 } } }, master)),
  step('drop a class with rows', s => s.delete('/schemas/Made', master)),
  step('purge', s => s.delete('/purge/Made', master)),
  step('drop', s => s.delete('/schemas/Made', master)),
  step('it is gone', s => s.get('/schemas/Made', master)),
  step('bad names', s => s.post('/schemas', { className: 'bad-name' }, master)),
  step('no name', s => s.post('/schemas', {}, master)),
  step('two names', s => s.post('/schemas/One', { className: 'Two' }, master)),
];

export const roles = [
  step('a user', s => s.post('/users', { username: 'member', password: 'x' }), { keep: 'member' }),
  step('a role without name', s => s.post('/roles', { ACL: {} }, master)),
  step('a role without ACL', s => s.post('/roles', { name: 'Crew' }, master)),
  step('a role', s => s.post('/roles', { name: 'Crew', ACL: { '*': { read: true } }, users: { __op: 'AddRelation', objects: [pointer(s, 'member', '_User')] } }, master), { keep: 'crew' }),
  step('its name again', s => s.post('/roles', { name: 'Crew', ACL: {} }, master)),
  step('a parent', s => s.post('/roles', { name: 'Fleet', ACL: { '*': { read: true } }, roles: { __op: 'AddRelation', objects: [pointer(s, 'crew', '_Role')] } }, master)),
  step('an object of the parent', s => s.post('/classes/Secret', { ACL: { 'role:Fleet': { read: true, write: true } } }, master), { keep: 'secret' }),
  step('the member reads it', s => s.get(at(s, 'secret', 'Secret'), s.as('member'))),
  step('nobody else does', s => s.get(at(s, 'secret', 'Secret'))),
  step('the member writes it', s => s.put(at(s, 'secret', 'Secret'), { n: 1 }, s.as('member'))),
  step('roles are listed', s => s.get('/roles', { query: { order: 'name' } })),
  step('a role is not for everybody to write', s => s.put(`/roles/${s.kept.crew.objectId}`, { note: 'x' })),
  step('delete the name', s => s.put(`/roles/${s.kept.crew.objectId}`, { name: { __op: 'Delete' } }, master)),
  step('delete the role', s => s.delete(`/roles/${s.kept.crew.objectId}`, master)),
];

export const batches = [
  step('one part', s => s.post('/batch', { requests: [{ method: 'POST', path: '/parse/classes/Part', body: { n: 1 } }] })),
  step('a bad part', s => s.post('/batch', { requests: [{ method: 'POST', path: '/parse/classes/Part', body: { n: 'x' } }] })),
  step('nothing', s => s.post('/batch', { requests: [] })),
  step('no list', s => s.post('/batch', { requests: 'x' })),
  step('elsewhere', s => s.post('/batch', { requests: [{ method: 'GET', path: '/other/classes/Part' }] })),
  step('an unknown route', s => s.post('/batch', { requests: [{ method: 'GET', path: '/parse/nothing' }] })),
  step('a batch in a batch', s => s.post('/batch', { requests: [{ method: 'POST', path: '/parse/batch', body: { requests: [] } }] })),
  step('a path that is no text', s => s.post('/batch', { requests: [{ method: 'GET', path: 1 }] })),
];

/** For a server whose clients may not create classes. */
export const closed = [
  step('a new class', s => s.post('/classes/Thing', { n: 1 })),
  step('find in no class', s => s.get('/classes/Thing')),
  step('get in no class', s => s.get('/classes/Thing/nowhere123')),
  step('update in no class', s => s.put('/classes/Thing/nowhere123', { n: 1 })),
  step('delete in no class', s => s.delete('/classes/Thing/nowhere123')),
  step('the master key makes it', s => s.post('/classes/Thing', { n: 1 }, master), { keep: 'thing' }),
  step('now clients may', s => s.post('/classes/Thing', { n: 2 })),
  step('also with a new field', s => s.post('/classes/Thing', { fresh: 2 })),
  step('a user', s => s.post('/users', { username: 'a', password: 'b', fresh: 1 })),
];
