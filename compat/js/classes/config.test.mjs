import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Parse, asMaster, request, useServer } from '../support.mjs';

useServer();

test('the configuration', async () => {
  assert.equal((await Parse.Config.get()).get('welcome'), undefined);
  await Parse.Config.save({ welcome: 'hello', limit: 5, hidden: 'x', list: [1], place: new Parse.GeoPoint(1, 2) }, { hidden: true });
  const config = await Parse.Config.get();
  assert.deepEqual([config.get('welcome'), config.get('limit'), config.get('hidden'), config.get('list')], ['hello', 5, undefined, [1]]);
  assert.equal(config.get('place').latitude, 1);
  assert.equal((await Parse.Config.get(asMaster)).get('hidden'), 'x');
  await request('PUT', 'config', { params: { welcome: { __op: 'Delete' } } }, asMaster);
  assert.equal((await Parse.Config.get()).get('welcome'), undefined);
  await assert.rejects(request('PUT', 'config', { params: { a: 1 } }), /unauthorized|denied/i);
});
