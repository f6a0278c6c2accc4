/** Live queries on an HTTP server of the program. */
declare class ParseLiveQueryServer {
  /** The HTTP server. */
  server: any;
  config: any;
  clients: Map<string, any>;
  subscriptions: Map<string, any>;
  [member: string]: any;
  constructor(server: any, config?: any, parseServerConfig?: any);
  connect(): Promise<void>;
  shutdown(): Promise<void>;
}
export { ParseLiveQueryServer };
