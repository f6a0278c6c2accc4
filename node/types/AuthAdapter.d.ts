/**
 * What identity providers of a program may extend. Its methods may be overwritten with any arguments, and by properties, as with
 * parse-server, which declares nothing of it.
 */
export declare const AuthAdapter: any;
export type AuthAdapter = any;
export default AuthAdapter;
