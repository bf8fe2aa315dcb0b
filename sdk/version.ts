// The version of ntkit, written into models and reports. The build fills it in from package.json.
declare const __NTKIT_VERSION__: string | undefined;

/** Version of ntkit; "development" when the sources run without the build. */
export const VERSION: string = typeof __NTKIT_VERSION__ === "string" ? __NTKIT_VERSION__ : "development";
