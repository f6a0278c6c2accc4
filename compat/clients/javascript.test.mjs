// The majors 1 to 8 of the JavaScript SDK, as apps in the field have them.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { here, run, version } from './support.mjs';
import { keys, startServer } from '../lib/server.mjs';

const MAJORS = [1, 2, 3, 4, 5, 6, 7, 8];

describe('the JavaScript SDK', { concurrency: 4 }, () => {
  let server;
  before(async () => {
    server = await startServer({ allowClientClassCreation: true, fileUpload: { enableForPublic: true, enableForAnonymousUser: true }, liveQuery: { classNames: ['Score'] }, startLiveQueryServer: true });
  });
  after(() => server?.stop());

  for (const major of MAJORS) {
    test(`${version(`parse-${major}`)} walks through an app`, async () => {
      const output = await run(process.execPath, [`${here}walk.mjs`, major, server.url, keys.appId]);
      assert.equal(output.match(/^ok /gm)?.length, 8, output);
    });
  }
});
