export type FieldType = 'String' | 'Boolean' | 'File' | 'Number' | 'Relation' | 'Pointer' | 'Date' | 'GeoPoint' | 'Polygon' | 'Array' | 'Object' | 'ACL' | 'Bytes';
export interface FieldInterface {
  type: FieldType;
  targetClass?: string;
  required?: boolean;
  defaultValue?: any;
}
export interface JSONSchema {
  className: string;
  fields?: Record<string, FieldInterface>;
  indexes?: any;
  classLevelPermissions?: any;
}
export declare class CLP {
  /** Permissions by who has them, as class-level permissions have them. */
  static allow(permissions: Record<string, string[]>): any;
}
/** A definition with the name of its class. */
export declare function makeSchema(className: string, schema: Omit<JSONSchema, 'className'> | any): JSONSchema;
