// What programs in TypeScript do with the package: it compiles with parse-server's declarations and with these.
import ParseServer, { FileSystemAdapter, ParseServer as Factory, ParseGraphQLServer, S3Adapter, LRUCacheAdapter, TestUtils, PushWorker } from 'parse-server';
async function server() {
  const parseServer = await ParseServer.startApp({ appId: 'a', masterKey: 'm', maintenanceKey: 'x', serverURL: 'http://x', databaseURI: 'm' });
  const nothing: void = await parseServer.handleShutdown();
  parseServer.app;
  ParseServer.app({});
  ParseServer.promiseRouter({ appId: 'appId' });
  const live = await ParseServer.createLiveQueryServer({}, {}, { appId: 'a', masterKey: 'm', maintenanceKey: 'x', serverURL: 'http://x', databaseURI: 'm' });
  live.clients.size;
  ParseServer.verifyServerUrl();
  const two: ParseServer = Factory({ appId: 'a', masterKey: () => {}, maintenanceKey: 'x', serverURL: 'http://x', databaseURI: 'm', emailAdapter: 'x', verifyUserEmails: async () => true, rateLimit: [{ requestPath: '*', requestTimeWindow: 5, requestCount: 1 }], customPages: { invalidLink: 'x' }, pages: { customRoutes: [{ method: 'GET', path: 'x', handler: () => {} }] }, passwordPolicy: { validatorCallback: () => {} }, security: { enableCheck: true }, liveQuery: { classNames: ['A'] }, cluster: true, middleware: () => {}, databaseOptions: { appName: 'x', compressors: ['zlib'] }, auth: { google: { enabled: true } }, logLevels: { triggerAfter: 'info' } });
  await two.start();
  new ParseGraphQLServer(two, { graphQLPath: '/x', playgroundPath: '/y' }).applyGraphQL({});
  return [FileSystemAdapter, S3Adapter, LRUCacheAdapter, TestUtils, PushWorker, nothing];
}
server();
