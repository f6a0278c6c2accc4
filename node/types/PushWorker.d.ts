/** Throws when it is made: the server sends pushes itself. */
export declare class PushWorker {
  constructor(pushAdapter: any, subscriberConfig?: any);
}
