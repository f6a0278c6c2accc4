/** Deletes all objects of all classes of the program's app; only with `TESTING` in the environment. */
export declare function destroyAllDataPermanently(fast?: boolean): Promise<any>;
export declare function resolvingPromise(): any;
export declare function sleep(milliseconds: number): Promise<void>;
export declare function getConnectionsCount(server: any): Promise<number>;
export declare class Connections {
  sockets: Set<any>;
  track(server: any): void;
  destroyAll(): void;
  count(): number;
}
