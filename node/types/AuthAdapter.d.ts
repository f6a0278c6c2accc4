/** What identity providers of a program may extend. */
export declare class AuthAdapter {
  policy: 'default' | 'additional' | 'solo';
  validateAppId(appIds: any, authData: any, options: any, request?: any): any;
  validateAuthData(authData: any, options: any, request?: any): any;
  validateSetUp(authData: any, options: any, request?: any): any;
  validateLogin(authData: any, options: any, request?: any): any;
  validateUpdate(authData: any, options: any, request?: any): any;
  beforeFind(authData: any): any;
  challenge(challengeData: any, authData: any, options: any, request?: any): any;
  afterFind(authData: any, options?: any, request?: any): any;
  validateOptions(options: any): any;
}
export default AuthAdapter;
