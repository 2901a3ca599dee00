#!/usr/bin/env node
// The command line. A Node whose HTTP parser hides headers is refused before anything else is loaded.

import { nodeRefusal } from './cli/nodeFloor.ts';

const refusal = nodeRefusal(process.version);
if (refusal !== null) {
  process.stderr.write(`${refusal}\n`);
  process.exit(2);
}
const { run } = await import('./cli/program.ts');
await run(process.argv);
