interface Cache {
  get(key: string): Promise<any>;
  put(key: string, value: any, ttl?: number): Promise<void>;
  del(key: string): Promise<void>;
  clear(): Promise<void>;
}
export declare class InMemoryCacheAdapter implements Cache {
  constructor(options?: any);
  get(key: string): Promise<any>;
  put(key: string, value: any, ttl?: number): Promise<void>;
  del(key: string): Promise<void>;
  clear(): Promise<void>;
}
export declare class NullCacheAdapter implements Cache {
  constructor(options?: any);
  get(key: string): Promise<any>;
  put(key: string, value: any, ttl?: number): Promise<void>;
  del(key: string): Promise<void>;
  clear(): Promise<void>;
}
/** Has no effect as option `cacheAdapter`: servers on one database hear of changes by the database. */
export declare class RedisCacheAdapter implements Cache {
  constructor(options?: any, ttl?: number);
  connect(): Promise<void>;
  get(key: string): Promise<any>;
  put(key: string, value: any, ttl?: number): Promise<void>;
  del(key: string): Promise<void>;
  clear(): Promise<void>;
}
export declare class LRUCacheAdapter {
  constructor(options?: any);
  get(key: string): any;
  put(key: string, value: any, ttl?: number): void;
  del(key: string): void;
  clear(): void;
}
