'use strict';
// What `require('parse-server')` gives, for programs that use parse-server as a library.
const { ParseServer: Class } = require('./ParseServer');
const { logs } = require('./bootstrap');

/** Makes a server, with or without `new`. */
const make = function (options) {
  return new Class(options);
};
make.createLiveQueryServer = Class.createLiveQueryServer;
make.startApp = Class.startApp;
make.verifyServerUrl = Class.verifyServerUrl;

// Written so that Node finds the names when an ES module imports them.
Object.defineProperty(exports, '__esModule', { value: true });
exports.default = Class;
exports.ParseServer = make;
exports.ParseGraphQLServer = require('./ParseGraphQLServer').ParseGraphQLServer;
exports.FileSystemAdapter = require('./adapters/built-in').FileSystemAdapter;
exports.S3Adapter = require('./adapters/built-in').S3Adapter;
exports.GCSAdapter = require('./adapters/built-in').GCSAdapter;
exports.InMemoryCacheAdapter = require('./adapters/caches').InMemoryCacheAdapter;
exports.NullCacheAdapter = require('./adapters/caches').NullCacheAdapter;
exports.RedisCacheAdapter = require('./adapters/caches').RedisCacheAdapter;
exports.LRUCacheAdapter = require('./adapters/caches').LRUCacheAdapter;
exports.AuthAdapter = require('./adapters/AuthAdapter').AuthAdapter;
exports.PushWorker = require('./PushWorker').PushWorker;
exports.TestUtils = require('./TestUtils');
exports.SchemaMigrations = require('./SchemaMigrations');
exports.logger = logs.logger;
