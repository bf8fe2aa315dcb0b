// Types of serve.mjs, for tests.
export declare const SITE: string;
export declare function serve(options?: {
  readonly folder?: string;
  readonly port?: number;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
}): Promise<{ readonly url: string; close(): Promise<void> }>;
