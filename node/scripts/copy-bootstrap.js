'use strict';
// Before the package is packed: the JavaScript that joins a server is that of the server. It is kept in one place.
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const target = path.join(root, 'bootstrap');
fs.rmSync(target, { recursive: true, force: true });
fs.cpSync(path.join(root, '../src/adapters/cloud/node/bootstrap'), target, { recursive: true });
for (const file of ['LICENSE', 'NOTICE']) fs.copyFileSync(path.join(root, '..', file), path.join(root, file));
