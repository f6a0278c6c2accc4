import { LiveQueryServerOptions, ParseServerOptions } from './Options';
import { ParseLiveQueryServer } from './LiveQuery/ParseLiveQueryServer';

/** A server in a process of its own, and the middleware that hands requests on to it. */
declare class ParseServer {
  _app: any;
  /** The program's options. */
  config: any;
  /** The HTTP server that `startApp` made. */
  server: any;
  /** The Express app that `startApp` made. */
  expressApp: any;
  liveQueryServer: any;
  constructor(options: ParseServerOptions);
  /** Starts the server; resolves when it answers. */
  start(): Promise<this>;
  /** The middleware for the REST API. */
  get app(): any;
  /** Stops the server; requests in flight are finished. */
  handleShutdown(): Promise<void>;
  /** Starts the server and an Express app that serves it. */
  startApp(options: ParseServerOptions): Promise<this>;
  static startApp(options: ParseServerOptions): Promise<ParseServer>;
  /** Serves live queries on an HTTP server of the program, or on one of its own. */
  static createLiveQueryServer(httpServer: any, config: LiveQueryServerOptions, options: ParseServerOptions): Promise<ParseLiveQueryServer>;
  /** Whether the server is reached at `Parse.serverURL`. */
  static verifyServerUrl(): any;
  static app(options: any): any;
  /** Throws: requests are routed by the server, not in the program. */
  static promiseRouter(options: { appId: any }): any;
  static applyRequestContextMiddleware(api: any, options: any): void;
}
export default ParseServer;
