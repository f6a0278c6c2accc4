// A linter accepts the document, both as it is checked in and with the classes of an app.
import path from 'node:path';
import { test } from 'node:test';
import { repoDir } from '../lib/env.mjs';
import { tempDir } from '../lib/temp.mjs';
import { here, npmTool, run, saveDocument, startTyped } from './support.mjs';

const lint = file => run(npmTool('redocly'), ['lint', '--config', path.join(here, 'redocly.yaml'), file], { env: { REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } });

test('the checked-in document', () => lint(path.join(repoDir, 'openapi/openapi.json')));

test('the document of an app', async () => {
  const server = await startTyped();
  await lint(await saveDocument(server, tempDir()));
  await server.stop();
});
