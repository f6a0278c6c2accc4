'use strict';
// The JavaScript that joins a server, which the server's binary carries, too. A packed package has a copy of it; in the repository
// it is where the server has it.
const fs = require('node:fs');
const path = require('node:path');

const packed = path.join(__dirname, '../bootstrap');
const folder = fs.existsSync(packed) ? packed : path.join(__dirname, '../../src/adapters/cloud/node/bootstrap');

module.exports = {
  cloud: require(path.join(folder, 'cloud.js')),
  course: require(path.join(folder, 'course.js')),
  load: require(path.join(folder, 'load.js')),
  logs: require(path.join(folder, 'logs.js')),
  modules: require(path.join(folder, 'modules.js')),
  registry: require(path.join(folder, 'registry.js')),
};
