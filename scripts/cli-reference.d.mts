// Types of cli-reference.mjs.
export function commandNames(help: string): string[];
export function cliReference(help: (args: readonly string[]) => string): string;
