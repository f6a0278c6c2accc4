import ParseServer from './ParseServer';
import { ParseServerOptions } from './Options';
import { AuthAdapter } from './AuthAdapter';
import { FileSystemAdapter, GCSAdapter, S3Adapter } from './files';
import { InMemoryCacheAdapter, LRUCacheAdapter, NullCacheAdapter, RedisCacheAdapter } from './caches';
import { ParseGraphQLServer } from './ParseGraphQLServer';
import { PushWorker } from './PushWorker';
import * as SchemaMigrations from './SchemaMigrations';
import * as TestUtils from './TestUtils';
import { Logger } from './logger';

/** Makes a server; with or without `new`. */
declare const makeServer: {
  (options: ParseServerOptions): ParseServer;
  new (options: ParseServerOptions): ParseServer;
  createLiveQueryServer: typeof ParseServer.createLiveQueryServer;
  startApp: typeof ParseServer.startApp;
  verifyServerUrl: typeof ParseServer.verifyServerUrl;
};
type makeServer = ParseServer;

declare const logger: Logger;

export default ParseServer;
export {
  AuthAdapter,
  FileSystemAdapter,
  GCSAdapter,
  InMemoryCacheAdapter,
  LRUCacheAdapter,
  NullCacheAdapter,
  ParseGraphQLServer,
  ParseServerOptions,
  PushWorker,
  RedisCacheAdapter,
  S3Adapter,
  SchemaMigrations,
  TestUtils,
  logger,
  makeServer as ParseServer,
};
