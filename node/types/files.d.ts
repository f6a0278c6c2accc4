/** Files in a folder of the program's working directory. */
export declare const FileSystemAdapter: any;
/** Files in an S3 bucket. */
export declare const S3Adapter: any;
/** Files in Google Cloud Storage. */
export declare const GCSAdapter: any;
