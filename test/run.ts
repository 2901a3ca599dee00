// `npm test`: every test file under Node's own runner; two at a time, since many of them start whole Gates.

import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const wanted = process.argv.slice(2);
const files = wanted.length > 0 ? wanted : globSync('test/**/*.test.ts', { cwd: root }).toSorted();
const flags = ['--test', '--test-concurrency=2', '--test-timeout=600000', '--test-reporter=spec'];
const child = spawn(process.execPath, [...flags, ...files], { cwd: root, stdio: 'inherit' });
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
