// What programs in TypeScript do with the package: it compiles with parse-server's declarations and with these.
import ParseServer, { FileSystemAdapter, ParseServer as Factory, ParseGraphQLServer, S3Adapter, LRUCacheAdapter, TestUtils, PushWorker } from 'parse-server';
import { AuthAdapter, InMemoryCacheAdapter, NullCacheAdapter, RedisCacheAdapter, SchemaMigrations } from 'parse-server';
import type { AuthAdapter as Provider, EmailVerificationRequest, PagesRoute, ParseServerOptions, SendEmailVerificationRequest } from 'parse-server/types/Options';
declare const process: { env: Record<string, string | undefined> };
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

// Options that are made elsewhere, and read again.
const providers: Record<string, Provider> = { google: { enabled: true } };
const page: PagesRoute = { method: 'GET', path: 'x', handler: () => {} };
const verify = async (request: EmailVerificationRequest): Promise<boolean> => request.object.get('email') !== undefined && request.createdWith?.action === 'signup';
const send = ({ user, master }: SendEmailVerificationRequest): boolean => master === true || user.get('quiet');
const settings: ParseServerOptions = {
  appId: 'a', masterKey: 'm', maintenanceKey: 'x', serverURL: 'http://x', databaseURI: 'm', auth: providers, pages: { customRoutes: [page] },
  verifyUserEmails: verify, preventLoginWithUnverifiedEmail: verify, sendUserEmailVerification: send, cloud: './cloud.js',
  requestKeywordDenylist: [{ key: 'a', value: 'b' }], rateLimit: [{ requestPath: '*' }],
};
const texts: string[] = [settings.appId, settings.serverURL, settings.databaseURI, settings.maintenanceKey];
const cloud: string | undefined = settings.cloud;
const pattern: string | undefined = settings.passwordPolicy?.validatorPattern;
const paths: string[] | undefined = settings.rateLimit?.map(({ requestPath }) => requestPath);

// What parse-server declares nothing of can be used, and extended, in any way.
class Mine extends AuthAdapter {
  policy = 'solo';
  validateLogin = async (authData: { code: string }) => ({ doNotSave: authData.code === '' });
  async validateAuthData(authData: { code: string }, options: { token: string }, request: object, more: number) {
    return [authData.code, options.token, request, more];
  }
}
const graphQL = new ParseGraphQLServer(new ParseServer(settings), { graphQLPath: process.env.GRAPHQL_PATH, playgroundPath: process.env.PLAYGROUND_PATH });
const caches = [new InMemoryCacheAdapter({ ttl: process.env.TTL }), new NullCacheAdapter(), new RedisCacheAdapter({ url: process.env.REDIS_URL })];
const place = SchemaMigrations.makeSchema('Place', { fields: { at: { type: 'GeoPoint' }, of: { type: 'Pointer', targetClass: '_User' } }, classLevelPermissions: SchemaMigrations.CLP.allow({ '*': ['get'] }) });
export { Mine, caches, cloud, graphQL, paths, pattern, place, texts };
