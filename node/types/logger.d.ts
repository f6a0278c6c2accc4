/** Writes to the server's log. */
export interface Logger {
  log(level: string, ...values: any[]): void;
  error(...values: any[]): void;
  warn(...values: any[]): void;
  info(...values: any[]): void;
  verbose(...values: any[]): void;
  debug(...values: any[]): void;
  silly(...values: any[]): void;
}
export declare function getLogger(): Logger;
