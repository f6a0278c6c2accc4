// Malformed requests.
import { step } from '../compare.mjs';

const json = { 'Content-Type': 'application/json' };
const raw = (method, path, data, headers = json) => s => s.request(method, path, { data, headers });
const nested = depth => '{"a":'.repeat(depth) + '1' + '}'.repeat(depth);

export const badInput = [
  step('no JSON', raw('POST', '/users', '{"username":'), { differs: 'the text of the JSON parser; we give a code too' }),
  step('JSON that is no object', raw('POST', '/users', '[1]'), { differs: 'a list is no object: refused' }),
  step('JSON text', raw('POST', '/users', '"x"'), { differs: 'the text of the JSON parser; we give a code too' }),
  step('JSON null', raw('POST', '/users', 'null'), { differs: 'the text of the JSON parser; we give a code too' }),
  step('empty body', raw('POST', '/users', '')),
  step('no body', s => s.request('POST', '/users')),
  step('invalid UTF-8', raw('POST', '/users', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), { differs: 'not Unicode: refused' }),
  step('NUL in a text', s => s.post('/classes/Bad', { text: 'a\u0000b' })),
  step('NUL in a field name', s => s.post('/classes/Bad', { 'a\u0000b': 1 })),
  step('deep nesting', raw('POST', '/classes/Bad', nested(100))),
  step('forbidden key', raw('POST', '/classes/Bad', '{"a":{"__proto__":{"x":1}}}')),
  step('forbidden key in where', s => s.get('/classes/Bad', { query: { where: { constructor: 'x' } } })),
  step('forbidden value', s => s.post('/classes/Bad', { a: { _bsontype: 'Code', code: '1' } })),
  step('unknown route', s => s.get('/nonsense')),
  step('unknown method', s => s.request('PATCH', '/users')),
  step('unknown method of a route', s => s.delete('/users')),
  step('unknown query parameter', s => s.get('/users', { query: { nonsense: 1 } })),
  step('where that is no JSON', s => s.request('GET', '/users?where=%7Bx')),
  step('where that is a list', s => s.request('GET', '/users?where=%5B%5D')),
  step('where that is a text', s => s.request('GET', '/users?where=%22x%22')),
  step('unknown operator', s => s.get('/users', { query: { where: { username: { $nonsense: 1 } } } })),
  step('$where', s => s.get('/users', { query: { where: { $where: 'true' } } })),
  step('$or that is no list', s => s.get('/users', { query: { where: { $or: {} } } })),
  step('$or that is empty', s => s.get('/users', { query: { where: { $or: [] } } })),
  step('$in that is no list', s => s.get('/users', { query: { where: { username: { $in: 'x' } } } })),
  step('a bad pattern', s => s.get('/users', { query: { where: { username: { $regex: '(' } } } })),
  step('bad pattern options', s => s.get('/users', { query: { where: { username: { $regex: 'x', $options: 'q' } } } })),
  step('limit that is no number', s => s.get('/users', { query: { limit: 'x' } })),
  step('negative limit', s => s.get('/users', { query: { limit: -1 } })),
  step('negative skip', s => s.get('/users', { query: { skip: -1 } })),
  step('order of a bad name', s => s.get('/users', { query: { order: '$x' } })),
  step('internal field in where', s => s.get('/users', { query: { where: { _hashed_password: 'x' } } })),
  step('bad class name on write', s => s.post('/classes/bad-name', { a: 1 })),
  step('bad class name on read', s => s.get('/classes/bad-name')),
  step('internal class', s => s.get('/classes/_Hooks')),
  step('join table', s => s.get('/classes/_Join:users:_Role')),
  step('bad cloud context', s => s.get('/users', { headers: { 'X-Parse-Cloud-Context': '[1]' } })),
  step('no application id', s => s.get('/users', { headers: { 'X-Parse-Application-Id': '' } })),
  step('unknown application id', s => s.get('/users', { headers: { 'X-Parse-Application-Id': 'other' } })),
  step('wrong master key', s => s.get('/users', { headers: { 'X-Parse-Master-Key': 'wrong' } })),
  step('basic authentication', s => s.get('/users', { headers: { 'X-Parse-Application-Id': '', Authorization: `Basic ${Buffer.from('app:master').toString('base64')}` } })),
  step('credentials in the body', s =>
    s.request('POST', '/users', {
      headers: { 'X-Parse-Application-Id': '', 'Content-Type': 'text/plain' },
      data: JSON.stringify({ _method: 'GET', _ApplicationId: 'app', _MasterKey: 'master', where: {} }),
    })),
  step('credentials of wrong types in the body', s =>
    s.request('POST', '/users', {
      headers: { 'X-Parse-Application-Id': '', 'Content-Type': 'text/plain' },
      data: JSON.stringify({ _method: 'GET', _ApplicationId: 'app', _MasterKey: { $ne: 1 } }),
    })),
  step('OPTIONS', s => s.request('OPTIONS', '/users')),
  step('health', s => s.get('/health')),
  step('path in capitals', s => s.get('/USERS')),
  step('slash at the end', s => s.get('/users/')),
  step('a lone surrogate', raw('POST', '/classes/Bad', '{"text":"\\ud800"}'), { differs: 'not Unicode: refused' }),
  step('a huge number', raw('POST', '/classes/Bad', '{"number":1e400}'), { differs: 'JSON has no infinity: refused' }),
];
